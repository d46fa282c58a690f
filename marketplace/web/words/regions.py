"""Names of places by their codes (GB/T 2260): provinces, and cities where the platform works."""

from __future__ import annotations

from typing import Final

from marketplace.web.words.naming import Label

COUNTRY = "000000"
REGIONS: Final[dict[str, Label]] = {
    code: Label(chinese, english)
    for code, chinese, english in (
        (COUNTRY, "全国", "Nationwide"),
        ("110000", "北京", "Beijing"),
        ("120000", "天津", "Tianjin"),
        ("130000", "河北", "Hebei"),
        ("140000", "山西", "Shanxi"),
        ("150000", "内蒙古", "Inner Mongolia"),
        ("210000", "辽宁", "Liaoning"),
        ("220000", "吉林", "Jilin"),
        ("230000", "黑龙江", "Heilongjiang"),
        ("310000", "上海", "Shanghai"),
        ("320000", "江苏", "Jiangsu"),
        ("320100", "南京", "Nanjing"),
        ("320200", "无锡", "Wuxi"),
        ("320300", "徐州", "Xuzhou"),
        ("320400", "常州", "Changzhou"),
        ("320500", "苏州", "Suzhou"),
        ("320600", "南通", "Nantong"),
        ("320700", "连云港", "Lianyungang"),
        ("320800", "淮安", "Huai'an"),
        ("320900", "盐城", "Yancheng"),
        ("321000", "扬州", "Yangzhou"),
        ("321100", "镇江", "Zhenjiang"),
        ("321200", "泰州", "Taizhou"),
        ("321300", "宿迁", "Suqian"),
        ("330000", "浙江", "Zhejiang"),
        ("340000", "安徽", "Anhui"),
        ("350000", "福建", "Fujian"),
        ("360000", "江西", "Jiangxi"),
        ("370000", "山东", "Shandong"),
        ("410000", "河南", "Henan"),
        ("420000", "湖北", "Hubei"),
        ("430000", "湖南", "Hunan"),
        ("440000", "广东", "Guangdong"),
        ("450000", "广西", "Guangxi"),
        ("460000", "海南", "Hainan"),
        ("500000", "重庆", "Chongqing"),
        ("510000", "四川", "Sichuan"),
        ("520000", "贵州", "Guizhou"),
        ("530000", "云南", "Yunnan"),
        ("540000", "西藏", "Tibet"),
        ("610000", "陕西", "Shaanxi"),
        ("620000", "甘肃", "Gansu"),
        ("630000", "青海", "Qinghai"),
        ("640000", "宁夏", "Ningxia"),
        ("650000", "新疆", "Xinjiang"),
        ("710000", "台湾", "Taiwan"),
        ("810000", "香港", "Hong Kong"),
        ("820000", "澳门", "Macao"),
    )
}


def region(code: str) -> Label:
    """The name of a place; with the code where only what is around it has a name."""
    if code in REGIONS:
        return REGIONS[code]
    around = REGIONS.get(f"{code[:4]}00") or REGIONS.get(f"{code[:2]}0000")
    if around is None:
        return Label(code, code)
    return Label(f"{around.chinese} {code}", f"{around.english} {code}")
