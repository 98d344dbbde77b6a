"""The codes that sign-in and the keeping of accounts can answer."""

from __future__ import annotations

ERRORS: dict[str, str] = {
    "account_disabled": "账号已停用",
    "account_not_disabled": "账号未停用",
    "account_not_found": "没有该账号，或不在您的辖区内",
    "client_disabled": "客户端已停用",
    "client_id_taken": "客户端编号已被使用",
    "client_not_disabled": "客户端未停用",
    "client_not_found": "没有该客户端，或不在您的辖区内",
    "incompatible_duties": "岗位不相容，不能由同一账号兼任",
    "invalid_client": "客户端身份验证失败",
    "invalid_credentials": "用户名或口令不正确，或账号不可用",
    "invalid_refresh_token": "刷新令牌无效，须重新登录",
    "invalid_token": "访问令牌无效",
    "locked_out": "连续登录失败次数过多，暂时锁定",
    "malformed": "填写内容有误",
    "own_account": "不能对自己的账号办理此操作",
    "password_change_required": "须先修改一次性口令",
    "several_client_credentials": "一次请求只能用一种客户端验证方式",
    "token_expired": "登录已过期",
    "unsupported_grant_type": "不支持的 grant_type",
    "username_taken": "用户名已被使用",
    "weak_password": "口令不符合要求",
}
FIELD_ERRORS: dict[str, str] = {
    "area_not_in_force": "区划不存在、已撤销或不在您的辖区内",
    "duty_not_at_level": "岗位与区划层级不符",
    "password_characters": "口令不能含有控制字符",
    "password_contains_username": "口令不能包含用户名",
    "password_is_demo": "不能使用公开的演示口令",
    "password_too_long": "口令过长",
    "password_too_short": "口令过短",
    "password_too_simple": "口令过于简单",
    "password_unchanged": "新口令与原口令相同",
    "public_jwk_invalid": "公钥不是合格的 P-256 JWK",
    "wrong_password": "原口令不正确",
}
