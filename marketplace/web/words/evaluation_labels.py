"""Names of the yearly evaluation: its states, the components of the index, what records say."""

from __future__ import annotations

from typing import Final

from marketplace.web.words.naming import Label

EVALUATION: Final[dict[str, dict[str, Label]]] = {
    "assessment": {
        "draft": Label("草稿", "Draft", "warning"),
        "published": Label("公示中", "In notice", "info"),
        "final": Label("已定案", "Final", "success"),
    },
    "component": {
        "resource_integration": Label("资源整合", "Instruments that are open"),
        "resource_quality": Label("资源质量", "How well they are described"),
        "talent_team": Label("人才队伍", "Technicians"),
        "use_and_contribution": Label("运行使用与贡献", "Hours in use"),
        "landmark_services": Label("标志性服务（专家）", "Landmark services (experts)"),
        "external_service_volume": Label("对外服务量", "Hours for others"),
        "rules_and_practice": Label("制度与执行（专家）", "Rules and practice (experts)"),
        "support": Label("用户评价", "What users say"),
    },
    "indicator": {
        "instruments": Label("在册仪器（台）", "Instruments listed"),
        "must_open": Label("应开放仪器（台）", "Instruments that must open"),
        "must_open_and_are": Label("其中已开放（台）", "Of them open"),
        "described_basis_points": Label("信息完整率", "Described in full"),
        "technicians": Label("技术人员（人）", "Technicians"),
        "effective_minutes": Label("有效机时", "Machine-hours"),
        "external_minutes": Label("对外机时", "Machine-hours for others"),
        "quota_minutes": Label("额定机时", "Rated hours"),
        "reviews": Label("评价（条）", "Reviews"),
        "stars": Label("星数合计", "Stars in all"),
    },
}
