from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from staff.access import needs
from staff.views import audit, clinic, keys, login, month, people, profile, second_step, style_guide

app_name = "staff"
urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", login.sign_in, name="sign_in"),
    path("logout/", login.sign_out, name="sign_out"),
    path("unlock/", login.unlock, name="unlock"),
    path("unlock/again/", login.send_again, name="send_again"),
    path("month/", month.month, name="month"),
    path("theme/", profile.theme, name="theme"),
    path("profile/", profile.profile, name="profile"),
    path("profile/password/", profile.password, name="password"),
    path("second-step/", second_step.second_step, name="second_step"),
    path("second-step/set-up/", second_step.set_up_second_step, name="set_up_second_step"),
    path("second-step/recovery/", second_step.recovery_codes, name="recovery_codes"),
    path("staff/", people.people, name="people"),
    path("staff/add/", people.person_add, name="person_add"),
    path("staff/<int:pk>/", people.person, name="person"),
    path("staff/<int:pk>/access/", people.person_access, name="person_access"),
    path("staff/<int:pk>/password/", people.person_password, name="person_password"),
    path("staff/<int:pk>/second-step/", people.person_second_step, name="person_second_step"),
    path("staff/branches/", clinic.branches, name="branches"),
    path("staff/branches/add/", clinic.branch, name="branch_add"),
    path("staff/branches/<int:pk>/", clinic.branch, name="branch"),
    path("staff/doctors/", clinic.doctors, name="doctors"),
    path("staff/doctors/add/", clinic.doctor, name="doctor_add"),
    path("staff/doctors/<int:pk>/", clinic.doctor, name="doctor"),
    path("staff/doctors/<int:pk>/shifts/", clinic.shifts, name="shifts"),
    path("staff/settings/", clinic.settings, name="settings"),
    path("staff/keys/", keys.keys, name="keys"),
    path("staff/keys/<int:pk>/revoke/", keys.key_revoke, name="key_revoke"),
    path("audit/", audit.audit, name="audit"),
    path("style/", needs("use_product")(style_guide.style_guide), name="style_guide"),
]
