"""Printed documents (PDF): the bulletin of an acceptance, a station's sheet, an informant's certificate.

Each is a function of what was published for good, and of nothing else: the same publication gives the same bytes for ever.
"""

from app.documents.bulletin import bulletin_pdf
from app.documents.certificate import certificate_pdf
from app.documents.station_sheet import station_sheet_pdf

__all__ = ["bulletin_pdf", "certificate_pdf", "station_sheet_pdf"]
