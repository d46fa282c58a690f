"""What the demo knows of the real world: kinds of instruments with models and practised prices.

Prices follow published lists of Chinese institutes (outside users, CNY) and hours the national
evaluation; companies, units and people are invented and look it: their mail ends in `.invalid`.
The last two digits of a category are 00 where only the middle class is known.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of instrument: class, names, typical models (maker, nation, model), value and price.

    `worth_wan` is the usual range of original value in 10,000 CNY; `hour_yuan` what an outside
    user pays for an hour and `sample_yuan` for a sample (0: not offered).
    """

    category: str
    cname: str
    ename: str
    models: tuple[tuple[str, str, str], ...]
    worth_wan: tuple[int, int]
    hour_yuan: int
    sample_yuan: int
    services: str
    special: bool = False


KINDS: tuple[Kind, ...] = (
    Kind(
        "010100",
        "场发射扫描电子显微镜",
        "Field emission scanning electron microscope",
        (
            ("Hitachi", "日本", "SU8220"),
            ("ZEISS", "德国", "Sigma 300"),
            ("FEI", "美国", "Quanta 250"),
        ),
        (180, 420),
        600,
        400,
        "微观形貌观察、能谱成分分析（SEM/EDS）",
    ),
    Kind(
        "010100",
        "透射电子显微镜",
        "Transmission electron microscope",
        (("JEOL", "日本", "JEM-2100F"), ("Thermo Fisher", "美国", "Talos F200X")),
        (450, 1200),
        1200,
        1200,
        "高分辨成像、选区衍射、元素面分布（TEM）",
    ),
    Kind(
        "010200",
        "液相色谱-串联质谱联用仪",
        "Liquid chromatograph tandem mass spectrometer",
        (("SCIEX", "美国", "QTRAP 6500"), ("Waters", "美国", "Xevo TQ-S")),
        (150, 380),
        420,
        400,
        "残留物与代谢物定量（LC-MS/MS）",
    ),
    Kind(
        "010200",
        "气相色谱-质谱联用仪",
        "Gas chromatograph mass spectrometer",
        (("Agilent", "美国", "7890B-5977B"), ("Shimadzu", "日本", "GCMS-TQ8050")),
        (60, 160),
        300,
        350,
        "挥发性有机物定性定量（GC-MS）",
    ),
    Kind(
        "010200",
        "电感耦合等离子体质谱仪",
        "Inductively coupled plasma mass spectrometer",
        (("Agilent", "美国", "7900"), ("Thermo Fisher", "美国", "iCAP RQ")),
        (110, 260),
        500,
        300,
        "痕量元素分析（ICP-MS）",
    ),
    Kind(
        "010300",
        "X射线衍射仪",
        "X-ray diffractometer",
        (("Bruker", "德国", "D8 ADVANCE"), ("Rigaku", "日本", "SmartLab")),
        (90, 260),
        120,
        80,
        "物相鉴定、晶体结构、粉末扫描（XRD）",
    ),
    Kind(
        "010300",
        "X射线光电子能谱仪",
        "X-ray photoelectron spectrometer",
        (("Thermo Fisher", "美国", "ESCALAB 250Xi"), ("Kratos", "英国", "AXIS Supra")),
        (350, 620),
        500,
        400,
        "表面元素与化学态分析（XPS）",
    ),
    Kind(
        "010400",
        "傅里叶变换红外光谱仪",
        "Fourier transform infrared spectrometer",
        (("Thermo Fisher", "美国", "Nicolet iS50"), ("Bruker", "德国", "VERTEX 70")),
        (50, 110),
        120,
        60,
        "官能团与材料鉴定（FTIR）",
    ),
    Kind(
        "010400",
        "电感耦合等离子体发射光谱仪",
        "Inductively coupled plasma optical emission spectrometer",
        (("Agilent", "美国", "5110"), ("PerkinElmer", "美国", "Avio 500")),
        (50, 120),
        300,
        200,
        "多元素同时测定（ICP-OES）",
    ),
    Kind(
        "010500",
        "高效液相色谱仪",
        "High performance liquid chromatograph",
        (("Waters", "美国", "ACQUITY UPLC"), ("Agilent", "美国", "1260 Infinity II")),
        (50, 90),
        100,
        200,
        "有机物分离与定量（HPLC）",
    ),
    Kind(
        "010600",
        "核磁共振波谱仪",
        "Nuclear magnetic resonance spectrometer",
        (("Bruker", "德国", "AVANCE NEO 400"), ("JEOL", "日本", "JNM-ECZ600R")),
        (280, 900),
        250,
        190,
        "有机结构解析、液体与固体核磁（NMR）",
    ),
    Kind(
        "010800",
        "激光共聚焦显微镜",
        "Confocal laser scanning microscope",
        (("Leica", "德国", "TCS SP8"), ("Nikon", "日本", "A1R")),
        (160, 420),
        600,
        0,
        "荧光三维成像、活细胞观察",
    ),
    Kind(
        "010800",
        "原子力显微镜",
        "Atomic force microscope",
        (("Bruker", "德国", "Dimension Icon"), ("Park Systems", "韩国", "NX10")),
        (110, 280),
        350,
        600,
        "表面形貌与力学成像（AFM）",
    ),
    Kind(
        "010900",
        "同步热分析仪",
        "Simultaneous thermal analyser",
        (("NETZSCH", "德国", "STA 449 F3"), ("Mettler Toledo", "瑞士", "TGA/DSC 3+")),
        (50, 110),
        150,
        200,
        "热重与差热分析（TG-DSC）",
    ),
    Kind(
        "011000",
        "流式细胞分选仪",
        "Flow cytometer cell sorter",
        (("BD", "美国", "FACSAria III"), ("Beckman Coulter", "美国", "MoFlo XDP")),
        (180, 380),
        300,
        0,
        "细胞分析与分选",
    ),
    Kind(
        "020100",
        "电子万能材料试验机",
        "Universal testing machine",
        (("Instron", "美国", "5969"), ("新三思", "中国", "CMT5105")),
        (50, 120),
        160,
        120,
        "拉伸、压缩、弯曲力学性能",
    ),
    Kind(
        "020500",
        "激光粒度分析仪",
        "Laser particle size analyser",
        (("Malvern", "英国", "Mastersizer 3000"), ("Beckman Coulter", "美国", "LS 13 320")),
        (50, 80),
        100,
        80,
        "颗粒粒度分布",
    ),
    Kind(
        "020600",
        "工业CT检测系统",
        "Industrial computed tomography system",
        (("ZEISS", "德国", "Xradia 520 Versa"), ("YXLON", "德国", "FF35 CT")),
        (400, 1100),
        900,
        1500,
        "内部结构无损检测（CT）",
        special=True,
    ),
    Kind(
        "020700",
        "综合物性测量系统",
        "Magnetic property measurement system",
        (("Quantum Design", "美国", "MPMS3"), ("Quantum Design", "美国", "PPMS DynaCool")),
        (380, 720),
        230,
        0,
        "磁性、电输运、比热测量（SQUID）",
        special=True,
    ),
    Kind(
        "080100",
        "微波网络分析仪",
        "Microwave network analyser",
        (("Keysight", "美国", "N5247B PNA-X"), ("Rohde & Schwarz", "德国", "ZNA67")),
        (120, 360),
        280,
        0,
        "射频与微波器件参数测试",
    ),
)

# Regions of the demo province: code (GB/T 2260) and name; the first is the capital.
REGIONS: tuple[tuple[str, str], ...] = (
    ("320100", "南京市"),
    ("320200", "无锡市"),
    ("320400", "常州市"),
    ("320500", "苏州市"),
    ("320600", "南通市"),
    ("321000", "扬州市"),
    ("321100", "镇江市"),
)

# Kinds of legal entity that own instruments, with how their units are called and how many units
# one legal entity has: several units share one legal entity, and the caps are per legal entity.
OWNERS: tuple[tuple[str, str, str, str, int], ...] = (
    ("university", "演示大学", "Demo University", "fiscal", 3),
    ("institute", "演示研究所", "Demo Institute", "fiscal", 1),
    ("public_institution", "演示检验检测院", "Demo Testing Academy", "fiscal", 2),
    ("company", "演示检测技术有限公司", "Demo Testing Co.", "social", 1),
)

TRADES: tuple[str, ...] = (
    "新材料",
    "生物医药",
    "电子信息",
    "高端装备",
    "节能环保",
    "新能源",
    "食品科技",
    "精细化工",
)


@dataclass(frozen=True, slots=True)
class Scale:
    """How large a province is built. `orders` live through the year through every use case."""

    units: int
    instruments: int
    companies: int
    orders: int


# Shape of the figures: 708 units and 9,158 instruments in a large province at the end of 2025;
# 4,000 units and 133,000 instruments in the nation.
SCALES: dict[str, Scale] = {
    "small": Scale(units=14, instruments=84, companies=30, orders=260),
    "province": Scale(units=708, instruments=9_158, companies=400, orders=2_000),
    "nation": Scale(units=4_000, instruments=133_000, companies=1_000, orders=4_000),
}
