"""One file per programme; the national catalogue lists them in order of precedence (``interplay.PRECEDENCE``)."""

from __future__ import annotations

from app.domain.eligibility.interplay import PRECEDENCE
from app.domain.eligibility.model import Authority
from app.domain.eligibility.programme import Catalogue, ProgrammeSpec
from app.domain.eligibility.programmes import (
    dibao,
    dibao_edge,
    dibao_single,
    disability_care,
    disability_living,
    disaster,
    medical,
    old_age,
    one_off,
    orphan,
    rigid_expense,
    tekun,
    temporary,
    unsupported_child,
    veteran,
)

_SPECS = {
    spec.code: spec
    for spec in (
        ProgrammeSpec("orphan", "孤儿基本生活保障", orphan.assess, per_person=True),
        ProgrammeSpec("unsupported_child", "事实无人抚养儿童基本生活补贴", unsupported_child.assess, per_person=True),
        ProgrammeSpec("tekun", "特困人员救助供养", tekun.assess, per_person=True),
        ProgrammeSpec("dibao", "最低生活保障", dibao.assess),
        ProgrammeSpec("dibao_edge", "低保边缘家庭", dibao_edge.assess),
        ProgrammeSpec("dibao_single", "单人户纳入低保", dibao_single.assess, per_person=True),
        ProgrammeSpec("rigid_expense", "刚性支出困难家庭", rigid_expense.assess),
        ProgrammeSpec("disability_living", "困难残疾人生活补贴", disability_living.assess, per_person=True),
        ProgrammeSpec("disability_care", "重度残疾人护理补贴", disability_care.assess, per_person=True),
        ProgrammeSpec("old_age", "高龄津贴", old_age.assess, per_person=True),
        ProgrammeSpec("medical", "医疗救助", medical.assess, authority=Authority.HEALTH_SECURITY),
        ProgrammeSpec("temporary", "临时救助", temporary.assess),
        ProgrammeSpec("one_off", "一次性生活补贴", one_off.assess),
        ProgrammeSpec("disaster", "受灾人员救助（含冬春救助）", disaster.assess, authority=Authority.EMERGENCY),
        ProgrammeSpec("veteran", "优抚对象抚恤补助", veteran.assess, per_person=True, authority=Authority.VETERANS),
    )
}

NATIONAL_CATALOGUE = Catalogue(tuple(_SPECS[code] for code in PRECEDENCE))
