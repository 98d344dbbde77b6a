"""近亲属备案: officials and community cadres whose near relatives' cases are put on file."""

from __future__ import annotations

from app.domain.imports.kinds.shared import CLERKS, area_code, id_number, name, text
from app.domain.imports.model import Kind
from app.domain.imports.registry import register_kind

OFFICIALS = Kind(
    code="officials",
    title="近亲属备案对象（工作人员和村（社区）干部）",
    columns=(
        name(),
        id_number(),
        text("organisation", "工作单位", "单位", required=True, length=100, example="某某街道办事处"),
        text("position", "职务", "岗位", required=True, length=100, example="民政助理员"),
        area_code(6, 9, 12, note="所在地区：6 位（区县）、9 位（乡镇街道）或 12 位（村、社区）"),
    ),
    key=("id_number",),
    importers=CLERKS,
    exporters=CLERKS,
    description="社会救助经办人员和村（社区）干部名册。其本人和近亲属申请救助时单独备案（近亲属在系统中逐人申报）。",
)
register_kind(OFFICIALS)
