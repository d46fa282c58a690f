"""Middle classes of large scientific instruments: the first four digits of a category code.

A code has six digits: two for the top class, two for the middle class, two for the small class.
The small classes are not closed (units add their own), so a code is checked by its middle class.
Policy: F.categories (大型科学仪器设备分类与代码, middle level as used in practice).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CODE = re.compile(r"[0-9]{6}")
# The national push writes 999999 and 990000 for "other"; one of them is kept.
OTHER_CODE = "990000"


@dataclass(frozen=True, slots=True)
class Category:
    """A class of instruments with its names."""

    code: str
    name: str
    name_en: str


TOP_CLASSES: dict[str, tuple[str, str]] = {
    "01": ("分析仪器", "Analytical instruments"),
    "02": ("物理性能测试仪器", "Physical property testing instruments"),
    "03": ("计量仪器", "Metrology instruments"),
    "04": ("天文仪器", "Astronomical instruments"),
    "05": ("海洋仪器", "Oceanographic instruments"),
    "06": ("地球探测仪器", "Earth exploration instruments"),
    "07": ("大气探测仪器", "Atmospheric sounding instruments"),
    "08": ("电子测量仪器", "Electronic measuring instruments"),
    "09": ("医学科研仪器", "Medical research instruments"),
    "10": ("核仪器", "Nuclear instruments"),
    "11": ("特种检测仪器", "Special inspection instruments"),
    "12": ("其他仪器", "Other instruments"),
    "99": ("其他", "Other"),
}

MIDDLE_CLASSES: dict[str, tuple[str, str]] = {
    "0101": ("电子光学仪器", "Electron optics"),
    "0102": ("质谱仪器", "Mass spectrometers"),
    "0103": ("X射线仪器", "X-ray instruments"),
    "0104": ("光谱仪器", "Optical spectrometers"),
    "0105": ("色谱仪器", "Chromatographs"),
    "0106": ("波谱仪器", "Magnetic resonance spectrometers"),
    "0107": ("电化学仪器", "Electrochemical instruments"),
    "0108": ("显微镜及图象分析仪器", "Microscopes and image analysis"),
    "0109": ("热分析仪器", "Thermal analysers"),
    "0110": ("生化分离分析仪器", "Biochemical separation and analysis"),
    "0111": ("环境与农业分析仪器", "Environmental and agricultural analysis"),
    "0112": ("样品前处理及制备仪器", "Sample preparation"),
    "0113": ("其他分析仪器", "Other analytical instruments"),
    "0201": ("力学性能测试仪器", "Mechanical testing"),
    "0202": ("大地测量仪器", "Geodetic surveying"),
    "0203": ("光电测量仪器", "Photoelectric measurement"),
    "0204": ("声学振动仪器", "Acoustics and vibration"),
    "0205": ("颗粒度测量仪器", "Particle sizing"),
    "0206": ("探伤仪器", "Flaw detection"),
    "0207": ("其他物理性能测试仪器", "Other physical property testing"),
    "0301": ("长度计量仪器", "Length metrology"),
    "0302": ("热学计量仪器", "Thermal metrology"),
    "0303": ("力学计量仪器", "Mechanical metrology"),
    "0304": ("电磁学计量仪器", "Electromagnetic metrology"),
    "0305": ("时间频率计量仪器", "Time and frequency metrology"),
    "0306": ("声学计量仪器", "Acoustic metrology"),
    "0307": ("光学计量仪器", "Optical metrology"),
    "0308": ("其他计量仪器", "Other metrology instruments"),
    "0401": ("天体测量仪器", "Astrometry"),
    "0402": ("地面天文望远镜", "Ground-based telescopes"),
    "0403": ("空间天文望远镜", "Space telescopes"),
    "0404": ("其他天文仪器", "Other astronomical instruments"),
    "0501": ("海洋水文测量仪器", "Marine hydrology"),
    "0502": ("多要素水文气象测量系统", "Hydro-meteorological systems"),
    "0503": ("海洋生物调查仪器", "Marine biology survey"),
    "0504": ("海水物理量测量仪器", "Sea-water physics"),
    "0505": ("海洋遥感遥测仪器", "Marine remote sensing"),
    "0506": ("海洋采样设备", "Marine sampling"),
    "0507": ("其他海洋仪器", "Other oceanographic instruments"),
    "0601": ("电法仪器", "Electrical prospecting"),
    "0602": ("电磁法仪器", "Electromagnetic prospecting"),
    "0603": ("磁法仪器", "Magnetic prospecting"),
    "0604": ("重力仪器", "Gravimeters"),
    "0605": ("地震仪器", "Seismic instruments"),
    "0606": ("地球物理测井仪器", "Geophysical well logging"),
    "0607": ("岩石矿物测试仪器", "Rock and mineral testing"),
    "0608": ("其他地球探测仪器", "Other earth exploration instruments"),
    "0701": ("气象台站观测仪器", "Weather station instruments"),
    "0702": ("高空气象探测仪器", "Upper-air sounding"),
    "0703": ("特殊大气探测仪器", "Special atmospheric sounding"),
    "0704": ("主动大气遥感仪器", "Active atmospheric remote sensing"),
    "0705": ("被动大气遥感仪器", "Passive atmospheric remote sensing"),
    "0706": ("高层大气电离层探测器", "Upper atmosphere and ionosphere"),
    "0707": ("对地观测仪器", "Earth observation"),
    "0708": ("其他大气探测仪器", "Other atmospheric instruments"),
    "0801": ("通用电子测量仪器", "General electronic measurement"),
    "0802": ("射频和微波测试仪器", "Radio frequency and microwave testing"),
    "0803": ("通讯测量仪器", "Communication measurement"),
    "0804": ("网络分析仪器", "Network analysers"),
    "0805": ("大规模集成电路测试仪器", "Integrated circuit testing"),
    "0806": ("其他电子测量仪器", "Other electronic measurement"),
    "0901": ("临床检验分析仪器", "Clinical laboratory analysers"),
    "0902": ("影像诊断仪器", "Imaging diagnostics"),
    "0903": ("电子诊察仪器", "Electronic diagnostics"),
    "0904": ("其他医学科研仪器", "Other medical research instruments"),
    "1001": ("核辐射探测仪器", "Nuclear radiation detectors"),
    "1002": ("活化分析仪器", "Activation analysis"),
    "1003": ("离子束分析仪器", "Ion beam analysis"),
    "1004": ("核效应分析仪器", "Nuclear effect analysis"),
    "1005": ("中子散射及衍射仪器", "Neutron scattering and diffraction"),
    "1006": ("其他核仪器", "Other nuclear instruments"),
    "1101": ("射线检测仪器", "Radiographic inspection"),
    "1102": ("超声检测仪器", "Ultrasonic inspection"),
    "1103": ("电磁检测仪器", "Electromagnetic inspection"),
    "1104": ("声发射检测仪器", "Acoustic emission inspection"),
    "1105": ("光电检测仪器", "Photoelectric inspection"),
    "1106": ("其他特种检测仪器", "Other special inspection"),
    "1200": ("其他仪器", "Other instruments"),
    "9900": ("其他", "Other"),
}


def normal_code(code: str) -> str | None:
    """`code` as it is stored, or None when it is no code of ours."""
    if code == "999999":
        return OTHER_CODE
    if _CODE.fullmatch(code) is None or code[:4] not in MIDDLE_CLASSES:
        return None
    return code


def middle_class(code: str) -> Category:
    """The middle class of a category code or of its first four digits."""
    name, name_en = MIDDLE_CLASSES[code[:4]]
    return Category(code[:4], name, name_en)


def categories() -> list[Category]:
    """Every middle class, in the order of its code."""
    return [middle_class(code) for code in MIDDLE_CLASSES]
