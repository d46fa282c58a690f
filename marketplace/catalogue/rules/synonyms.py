"""Names under which people look for the same method: whoever writes one finds the others.

A group lists short names, Chinese names and English names of one method. Short names are matched
as whole words, so that `SEM` does not find semiconductors.
"""

from __future__ import annotations

METHODS: tuple[tuple[str, ...], ...] = (
    ("SEM", "扫描电镜", "扫描电子显微镜", "scanning electron microscope"),
    ("FESEM", "FE-SEM", "场发射扫描电镜", "场发射扫描电子显微镜"),
    ("TEM", "透射电镜", "透射电子显微镜", "transmission electron microscope"),
    ("Cryo-EM", "冷冻电镜", "冷冻电子显微镜", "cryo electron microscope"),
    ("EPMA", "电子探针", "electron probe"),
    ("FIB", "聚焦离子束", "focused ion beam"),
    ("AFM", "原子力显微镜", "atomic force microscope"),
    ("CLSM", "激光共聚焦", "共聚焦显微镜", "confocal microscope"),
    ("XRD", "X射线衍射", "X射线衍射仪", "x-ray diffractometer", "x-ray diffraction"),
    ("XRF", "X射线荧光", "X荧光光谱", "x-ray fluorescence"),
    ("XPS", "X射线光电子能谱", "光电子能谱", "photoelectron spectrometer"),
    ("EDS", "EDX", "能谱仪", "energy dispersive"),
    ("NMR", "核磁共振", "核磁共振波谱", "nuclear magnetic resonance"),
    ("EPR", "ESR", "顺磁共振", "electron paramagnetic resonance"),
    ("MRI", "磁共振成像", "magnetic resonance imaging"),
    ("MS", "质谱", "质谱仪", "mass spectrometer"),
    ("ICP-MS", "电感耦合等离子体质谱", "等离子体质谱", "inductively coupled plasma mass"),
    ("ICP-OES", "ICP-AES", "电感耦合等离子体发射光谱", "等离子体发射光谱"),
    ("GC-MS", "GCMS", "气质联用", "气相色谱质谱联用", "气相色谱-质谱"),
    ("LC-MS", "LCMS", "液质联用", "液相色谱质谱联用", "液相色谱-质谱"),
    ("MALDI-TOF", "基质辅助激光解吸", "飞行时间质谱"),
    ("HPLC", "高效液相色谱", "液相色谱仪", "high performance liquid chromatograph"),
    ("UPLC", "UHPLC", "超高效液相色谱"),
    ("GC", "气相色谱", "gas chromatograph"),
    ("IC", "离子色谱", "ion chromatograph"),
    ("GPC", "凝胶色谱", "凝胶渗透色谱", "gel permeation"),
    ("AAS", "原子吸收", "atomic absorption"),
    ("AFS", "原子荧光", "atomic fluorescence"),
    ("FTIR", "FT-IR", "傅里叶红外", "傅立叶红外", "红外光谱", "infrared spectrometer"),
    ("UV-Vis", "紫外可见", "紫外分光光度计", "ultraviolet visible"),
    ("Raman", "拉曼", "拉曼光谱"),
    ("TGA", "热重", "热重分析", "thermogravimetric"),
    ("DSC", "差示扫描量热", "differential scanning calorimeter"),
    ("DMA", "动态热机械", "dynamic mechanical analyser"),
    ("BET", "比表面", "比表面积", "surface area analyser"),
    ("FCM", "流式细胞", "流式细胞仪", "flow cytometer"),
    ("PCR", "聚合酶链反应", "荧光定量PCR", "polymerase chain reaction"),
    ("NGS", "测序仪", "基因测序", "高通量测序", "sequencer"),
    ("CMM", "三坐标", "三坐标测量机", "coordinate measuring machine"),
    ("VNA", "矢量网络分析仪", "vector network analyser"),
    ("CT", "断层扫描", "工业CT", "computed tomography"),
)
