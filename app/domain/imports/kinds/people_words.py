"""The words of people's files: for each code of the registry the published word first, then what offices write instead.

Relations follow GB/T 4761; in-laws and relations further off are ``other``: who owes whom support depends on it
(民法典 第一千零六十七条、第一千零七十四条).
"""

from __future__ import annotations

from typing import Final

from app.domain.imports.cells import Choice

Words = dict[str, tuple[str, ...]]

ID_KINDS: Final[Words] = {
    "resident_id": ("居民身份证", "身份证", "二代身份证", "第二代居民身份证", "居民身份证（户口簿）", "户口簿"),
    "hmt_residence_permit": ("港澳台居民居住证", "港澳居民居住证", "台湾居民居住证", "居住证"),
    "foreign_permanent_residence": ("外国人永久居留身份证", "外国人永久居留证"),
}
RELATIONS: Final[Words] = {
    "head": ("户主", "本人", "户主本人", "本人（户主）", "户主（本人）"),
    "spouse": ("配偶", "夫", "妻", "夫妻", "丈夫", "妻子", "爱人", "老公", "老婆"),
    "child": (
        *("子女", "子", "女", "儿子", "女儿", "独生子", "独生女", "长子", "次子", "三子", "四子", "五子", "长女", "次女"),
        *("二子", "二女", "三女", "四女", "五女", "大儿子", "二儿子", "大女儿", "二女儿", "小儿子", "小女儿", "其他儿子"),
        *("养子", "养女", "继子", "继女", "养子或继子", "养女或继女", "养子女", "继子女", "其他女儿", "儿", "闺女"),
    ),
    "parent": ("父母", "父亲", "母亲", "父", "母", "爸爸", "妈妈", "养父", "养母", "继父", "继母", "继父或养父", "继母或养母"),
    "grandparent": (
        *("祖父母", "祖父", "祖母", "外祖父", "外祖母", "祖父母或外祖父母", "爷爷", "奶奶", "外公", "外婆", "姥爷", "姥姥"),
    ),
    "grandchild": ("孙子女", "孙子", "孙女", "外孙子", "外孙女", "外孙", "外孙子女", "孙子、孙女或外孙子、外孙女", "孙"),
    "sibling": (
        *("兄弟姐妹", "兄", "弟", "姐", "妹", "哥哥", "弟弟", "姐姐", "妹妹", "兄、弟、姐、妹", "兄弟", "姐妹", "胞兄", "胞弟"),
    ),
    "other": (
        *("其他", "其它", "其他亲属", "儿媳", "女婿", "公公", "婆婆", "岳父", "岳母", "孙媳", "孙媳妇", "孙女婿", "嫂子", "弟媳"),
        *(
            "侄子",
            "侄女",
            "外甥",
            "外甥女",
            "叔父",
            "伯父",
            "舅父",
            "姑母",
            "姨母",
            "曾祖父",
            "曾祖母",
            "曾孙",
            "曾孙女",
            "非亲属",
        ),
    ),
}
RESIDENCES: Final[Words] = {
    "urban": ("城镇", "城市", "城镇户口", "城镇居民", "非农业", "非农", "非农业户口", "城"),
    "rural": ("农村", "乡村", "农村户口", "农村居民", "农业", "农业户口", "农"),
}
MARITAL: Final[Words] = {
    "unmarried": ("未婚",),
    "married": ("已婚", "有配偶", "初婚", "再婚", "复婚", "已婚有配偶"),
    "widowed": ("丧偶",),
    "divorced": ("离婚", "离异"),
}
DISABILITY_KINDS: Final[Words] = {
    "vision": ("视力", "视力残疾", "1", "盲"),
    "hearing": ("听力", "听力残疾", "2", "聋"),
    "speech": ("言语", "言语残疾", "语言", "语言残疾", "3", "哑"),
    "physical": ("肢体", "肢体残疾", "4"),
    "intellectual": ("智力", "智力残疾", "5"),
    "mental": ("精神", "精神残疾", "6"),
    "multiple": ("多重", "多重残疾", "7"),
}
GRADES: Final[Words] = {
    "1": ("一级", "1级", "壹级", "一", "Ⅰ级", "I级", "Ⅰ"),
    "2": ("二级", "2级", "贰级", "二", "Ⅱ级", "II级", "Ⅱ"),
    "3": ("三级", "3级", "叁级", "三", "Ⅲ级", "III级", "Ⅲ"),
    "4": ("四级", "4级", "肆级", "四", "Ⅳ级", "IV级", "Ⅳ"),
}
EMPLOYMENTS: Final[Words] = {
    "employed": ("就业", "在业", "在职", "已就业", "务工", "打工", "外出务工", "单位就业", "受雇"),
    "self_employed": ("个体经营", "个体", "灵活就业", "自主创业", "自谋职业", "经商"),
    "farming": ("务农", "种地", "农业生产", "从事农业", "种植养殖"),
    "unemployed": ("失业", "登记失业", "已登记失业", "待业"),
    "retired": ("退休", "离退休", "离休", "退职"),
    "none": ("未就业", "无业", "不在业", "未从业", "无职业", "在家"),
}
#: What a file says of somebody who goes to no school: it ends what was stated before.
NOT_STUDYING: Final = "none"
STUDIES: Final[Words] = {
    "preschool": ("学前教育", "学龄前", "学前", "幼儿园"),
    "compulsory": ("义务教育", "小学", "初中", "小学在读", "初中在读", "九年义务教育"),
    "senior_secondary": ("普通高中", "高中", "高中在读"),
    "vocational": ("中等职业教育", "中职", "中专", "职高", "技校", "职业高中", "中职在读"),
    "junior_college": ("大专", "专科", "高职", "大专在读", "大学专科"),
    "undergraduate": ("本科", "大学", "大学本科", "本科在读"),
    "postgraduate": ("研究生", "硕士", "博士", "硕士研究生", "博士研究生", "研究生在读"),
    NOT_STUDYING: ("非在校", "不在校", "不在读", "未在读", "已毕业", "毕业", "未上学"),
}
ACCOUNT_KINDS: Final[Words] = {
    "card": ("银行卡", "借记卡", "储蓄卡", "卡"),
    "passbook": ("存折", "折", "一折通", "活期存折"),
    "corporate": ("对公账户", "对公", "单位账户"),
    "social_security_card": ("社保卡", "社会保障卡", "一卡通", "惠民惠农一卡通"),
}


class Grade(Choice):
    """残疾等级 as a number, 1 the most severe."""

    def __init__(self) -> None:
        super().__init__(GRADES)

    def read(self, cell: object) -> int | None:  # type: ignore[override]
        found = super().read(cell)
        return None if found is None else int(found)

    def write(self, value: object) -> str:
        """一级 … 四级."""
        return super().write(str(value))
