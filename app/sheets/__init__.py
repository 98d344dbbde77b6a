"""Tables as offices send and want them: reading (CSV, XLSX) and writing.

Reading looks at the content, never at the name of the file: `open_sheet` says what a file is, refuses what can't be read with a
reason and a way out, and hands over rows one by one. Text files of any size are read with bounded memory; workbooks have limits
that are checked before anything is loaded.
"""

from app.sheets.model import Fits, Sheet, SheetFacts, SheetFault, SheetLimits
from app.sheets.opening import open_sheet

__all__ = ["Fits", "Sheet", "SheetFacts", "SheetFault", "SheetLimits", "open_sheet"]
