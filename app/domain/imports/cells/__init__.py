"""How cells are read: one class per kind of content, each over a whole column at once.

Every class reads what offices really send (full-width digits, blanks inside numbers, dates in a dozen spellings) and refuses what
can't be known for certain: digits that a spreadsheet has rounded away, old numbers, years of two digits. What a fault says is
Chinese, tells the clerk what to do, and never repeats the cell.
"""

from app.domain.imports.cells.amounts import Number, Whole, Yuan
from app.domain.imports.cells.choices import Choice, Choices, YesNo
from app.domain.imports.cells.days import Date, Month
from app.domain.imports.cells.numbers import AreaCode, BankAccount, Certificate, IdNumber, IdNumbers, Phone
from app.domain.imports.cells.texts import Name, Text

__all__ = [
    "AreaCode",
    "BankAccount",
    "Certificate",
    "Choice",
    "Choices",
    "Date",
    "IdNumber",
    "IdNumbers",
    "Month",
    "Name",
    "Number",
    "Phone",
    "Text",
    "Whole",
    "YesNo",
    "Yuan",
]
