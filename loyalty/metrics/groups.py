"""How M07 groups acquired patients: one template of rows (patient_id, grp, revenue, cost) a way of grouping."""

# ruff: noqa: S608 - the templates hold no input: only integers and literals of core.sql

from __future__ import annotations

from loyalty.metrics.recall import RFM_CTES, SEGMENT

# What `grp` is the id of; the other groupings give words.
NAMED_BY = {"channel": "channel", "first_doctor": "doctor"}
CTES = {
    "records": """
        SELECT COALESCE(p.canonical_id, p.id) AS person, p.id, p.created_at, p.external_id, p.sex, p.birth_date
        FROM patients_patient p""",
    # A merged person: the canonical record first, then by creation.
    "sexes": """
        SELECT person, sex FROM (
            SELECT r.person, r.sex, ROW_NUMBER() OVER (PARTITION BY r.person ORDER BY
                CASE WHEN r.id = r.person THEN 0 ELSE 1 END, r.created_at, {text:r.external_id}, r.id) AS place
            FROM records r WHERE r.sex <> '') s
        WHERE place = 1""",
    "births": """
        SELECT person, {month:born} AS month, {dom:born} AS dom FROM (
            SELECT r.person, {day:r.birth_date} AS born, ROW_NUMBER() OVER (PARTITION BY r.person ORDER BY
                CASE WHEN r.id = r.person THEN 0 ELSE 1 END, r.created_at, {text:r.external_id}, r.id) AS place
            FROM records r WHERE r.birth_date IS NOT NULL) s
        WHERE place = 1""",
    "ages": """
        SELECT person, ({month:{D}} - month - CASE WHEN {dom:{D}} < dom THEN 1 ELSE 0 END) / 12 AS age FROM births""",
    "diagnoses": "SELECT DISTINCT person, diagnosis FROM visited WHERE diagnosis <> ''",
    "first_diagnosis": """
        SELECT person, diagnosis FROM (
            SELECT v.person, v.diagnosis, ROW_NUMBER() OVER (
                PARTITION BY v.person ORDER BY v.start_at, {text:v.external_id}, v.id) AS place
            FROM visited v WHERE v.diagnosis <> '') s
        WHERE place = 1""",
    **RFM_CTES,
}


def grouping(group: str, joins: str) -> str:
    return f"""
        SELECT a.person AS patient_id, {group} AS grp, COALESCE(e.revenue, 0) AS revenue, a.cost
        FROM acquired a LEFT JOIN earned e ON e.person = a.person {joins}"""


AGE_BAND = """CASE WHEN g.age IS NULL THEN 'unknown' WHEN g.age < 18 THEN '0-17' WHEN g.age < 30 THEN '18-29'
    WHEN g.age < 45 THEN '30-44' WHEN g.age < 60 THEN '45-59' ELSE '60+' END"""
GROUPINGS = {
    "channel": grouping(
        "COALESCE(CAST(t.channel_id AS VARCHAR(20)), 'unknown')", "JOIN touch t ON t.person = a.person"
    ),
    "first_doctor": grouping("CAST(o.doctor_id AS VARCHAR(20))", "JOIN opening o ON o.person = a.person"),
    "diagnosis_first": grouping("COALESCE(g.diagnosis, 'none')", "LEFT JOIN first_diagnosis g ON g.person = a.person"),
    "diagnosis_any": grouping("COALESCE(g.diagnosis, 'none')", "LEFT JOIN diagnoses g ON g.person = a.person"),
    "sex": grouping("COALESCE(g.sex, 'unknown')", "LEFT JOIN sexes g ON g.person = a.person"),
    "age_band": grouping(AGE_BAND, "LEFT JOIN ages g ON g.person = a.person"),
    # beyond M07: the speciality of the first doctor, and the segment of M28
    "speciality": grouping(
        "CASE WHEN g.speciality = '' THEN 'unknown' ELSE g.speciality END",
        "JOIN opening o ON o.person = a.person JOIN staff_doctor g ON g.id = o.doctor_id",
    ),
    "segment": grouping(SEGMENT.replace("s.", "g."), "JOIN scored g ON g.person = a.person"),
}
