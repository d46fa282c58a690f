"""How well a managing unit shares: indicators, assessments, grades, complaints."""
