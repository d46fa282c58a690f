"""Names of the cities of the provinces we know, by the first four digits of GB/T 2260."""

from __future__ import annotations

CITIES: dict[str, tuple[str, str]] = {
    "3201": ("南京市", "Nanjing"),
    "3202": ("无锡市", "Wuxi"),
    "3203": ("徐州市", "Xuzhou"),
    "3204": ("常州市", "Changzhou"),
    "3205": ("苏州市", "Suzhou"),
    "3206": ("南通市", "Nantong"),
    "3207": ("连云港市", "Lianyungang"),
    "3208": ("淮安市", "Huai'an"),
    "3209": ("盐城市", "Yancheng"),
    "3210": ("扬州市", "Yangzhou"),
    "3211": ("镇江市", "Zhenjiang"),
    "3212": ("泰州市", "Taizhou"),
    "3213": ("宿迁市", "Suqian"),
    "4301": ("长沙市", "Changsha"),
    "4302": ("株洲市", "Zhuzhou"),
    "4303": ("湘潭市", "Xiangtan"),
    "4304": ("衡阳市", "Hengyang"),
    "4305": ("邵阳市", "Shaoyang"),
    "4306": ("岳阳市", "Yueyang"),
    "4307": ("常德市", "Changde"),
    "4308": ("张家界市", "Zhangjiajie"),
    "4309": ("益阳市", "Yiyang"),
    "4310": ("郴州市", "Chenzhou"),
    "4311": ("永州市", "Yongzhou"),
    "4312": ("怀化市", "Huaihua"),
    "4313": ("娄底市", "Loudi"),
    "4331": ("湘西州", "Xiangxi"),
}


def city_names(code: str) -> tuple[str, str]:
    """The Chinese and English name of a city, or its code where we know no name."""
    return CITIES.get(code[:4], (code, code))
