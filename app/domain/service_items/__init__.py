"""Service items (民政事项清单): the published lists, and the requests (办件) that run under them.

首问负责、一次性告知、限时办结、四公开. What other areas take from here: the on-time rates, read set-wise by
``app.db.service_rates``.
"""

from app.domain.service_items.model import (
    Citation,
    DayUnit,
    Item,
    ItemEntry,
    ItemList,
    ListEntry,
    ListLevel,
    Material,
    Step,
    Supply,
    TimeLimit,
    Waiver,
)
from app.domain.service_items.rates import OnTime, Tally
from app.domain.service_items.requests import Request, RequestEntry, RequestState
from app.domain.service_items.service import Publishing, RequestDesk

__all__ = [
    "Citation",
    "DayUnit",
    "Item",
    "ItemEntry",
    "ItemList",
    "ListEntry",
    "ListLevel",
    "Material",
    "OnTime",
    "Publishing",
    "Request",
    "RequestDesk",
    "RequestEntry",
    "RequestState",
    "Step",
    "Supply",
    "Tally",
    "TimeLimit",
    "Waiver",
]
