"""What the codes of the audit log say to a person. A code that has no words here is shown as it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from staff.models import AuditEntry
from staff.views import audit_words_funnel as funnel

DEEDS: dict[str, Any] = {
    "sign_in": _("signed in"),
    "sign_in_failed": _("wrong login or password"),
    "sign_out": _("signed out"),
    "change_own_password": _("changed his own password"),
    "set_up_second_step": _("set up the second step"),
    "renew_recovery_codes": _("made new recovery codes"),
    "add_user": _("added an account"),
    "change_user": _("changed an account"),
    "reset_password": _("gave a new password"),
    "reset_second_step": _("took off the second step"),
    "make_key": _("made an API key"),
    "revoke_key": _("revoked an API key"),
    "change_settings": _("changed the settings"),
    "change_zone": _("changed the time zone"),
    "set_up_clinic": _("set up the clinic"),
    "add_branch": _("added a branch"),
    "change_branch": _("changed a branch"),
    "add_doctor": _("added a doctor"),
    "change_doctor": _("changed a doctor"),
    "change_shifts": _("changed shifts"),
    "see_card": _("opened a card"),
    "read_value": _("read a patient's value"),
    "read_proof": _("opened the proof of a consent"),
    "register_patient": _("registered a patient"),
    "edit_patient": _("changed a patient"),
    "book_visit": _("booked a visit"),
    "move_visit": _("moved a visit"),
    "confirm_visit": _("confirmed a visit"),
    "cancel_visit": _("cancelled a visit"),
    "arrive": _("noted that a patient came"),
    "finish_visit": _("finished a visit"),
    "mark_no_show": _("noted that a patient did not come"),
    "reopen_visit": _("opened a visit again"),
    "log_visit": _("logged a visit"),
    "log_walk_in": _("logged a visit without an appointment"),
    "dismiss_pair": _("said: not the same person"),
    "merge_patients": _("merged patients"),
    "undo_merge": _("undid a merge"),
    "export_data": _("took data away"),
    "receive_file": _("sent a file"),
    "choose_columns": _("chose the columns of a file"),
    "discard_file": _("threw a file away"),
    "start_import": _("started an import"),
    "import_file": _("imported a file"),
    "start_undo": _("began to undo an import"),
    "undo_import": _("undid an import"),
    "pause_sending": _("paused or resumed sending"),
    "preview_message": _("previewed a message"),
    "edit_messages": _("changed message texts"),
    "resolve_messages": _("settled a message"),
    "approve_adverts": _("approved an advertisement, or took it back"),
    "set_transports": _("set up a way of sending"),
    "edit_budgets": _("changed how many contacts there may be"),
    "hold_promotions": _("froze or allowed advertising"),
    "suppress_addresses": _("closed or opened an address"),
    "link_telegram": _("linked or let go a Telegram chat"),
    "take_reply": _("answered a message"),
    "answer_replies": _("dealt with an answer"),
    "give_consent": _("gave a consent"),
    "withdraw_consent": _("withdrew a consent"),
    "open_work_item": _("opened a work item"),
    "claim_work_item": _("took a work item"),
    "close_work_item": _("closed a work item"),
    "edit_ladder": _("changed the product ladder or the public prices"),
    "indicate": _("noted what a doctor indicates"),
    "offer_step": _("offered the next step"),
    "call_stuck": _("opened work items for those who stopped on a step"),
    "add_spend": _("added spend"),
    "take_back_spend": _("took spend back"),
    **{
        f"{verb}_{name}": text
        for verb, texts in {
            "record": {
                "patients": _("records written: patients"),
                "visits": _("records written: visits"),
                "items": _("records written: services of visits"),
                "payments": _("records written: payments"),
                "allocations": _("records written: parts of payments"),
                "services": _("records written: price list"),
                "doctors": _("records written: doctors"),
                "branches": _("records written: branches"),
                "channels": _("records written: sources"),
                "spend": _("records written: spend"),
                "shifts": _("records written: shifts"),
                "consents": _("records written: consents"),
                "touchpoints": _("records written: contacts"),
                "messages": _("records written: messages"),
            },
            "read": {
                "patients": _("read by API: a patient"),
                "visits": _("read by API: a visit"),
                "payments": _("read by API: a payment"),
                "consents": _("read by API: a consent"),
                "touchpoints": _("read by API: a contact"),
                "messages": _("read by API: a message"),
            },
        }.items()
        for name, text in texts.items()
    },
    **funnel.DEEDS,
}
KINDS: dict[str, Any] = {
    "user": _("account"),
    "api_key": _("API key"),
    "clinic": _("clinic"),
    "branch": _("branch"),
    "doctor": _("doctor"),
    "patient": _("patient"),
    "visit": _("visit"),
    "pair": _("pair"),
    "merge": _("merge"),
    "message": _("message"),
    "template": _("message text"),
    "import": _("import"),
    "work_item": _("work item"),
    "table": _("table"),
    "approval": _("approval of an advertisement"),
    "automation": _("automation"),
    "budget": _("budget of contacts"),
    "consent_scan": _("scan of a consent"),
    "promotion_hold": _("freeze of advertising"),
    "reply": _("answer of a patient"),
    "suppression": _("closed address"),
    "transport": _("way of sending"),
    "messages": _("messages"),
    "patients": _("patients"),
    "visits": _("visits"),
    "items": _("services of visits"),
    "payments": _("payments"),
    "allocations": _("parts of payments"),
    "services": _("price list"),
    "doctors": _("doctors"),
    "branches": _("branches"),
    "channels": _("sources"),
    "spend": _("spend"),
    "shifts": _("shifts"),
    "consents": _("consents"),
    "touchpoints": _("contacts"),
    **funnel.KINDS,
}
FIELDS: dict[str, Any] = {
    "names": _("names"),
    "last_name": _("last name"),
    "first_name": _("first name"),
    "middle_name": _("middle name"),
    "sex": _("sex"),
    "language": _("language"),
    "branch": _("branch"),
    "doctor": _("doctor"),
    "channel": _("source"),
    "start_at": _("start"),
    "end_at": _("end"),
    "goal": _("goal"),
    "status": _("state"),
    "card_number": _("card number"),
    "note": _("note"),
    "birth_date": _("birth date"),
    "phones": _("phones"),
    "email": _("e-mail"),
    "consents": _("consents"),
    "family": _("family"),
    "money": _("money"),
    "payments": _("payments"),
    "diagnosis": _("diagnosis"),
    "recommendations": _("advice"),
    "timeline": _("what happened"),
    "tz": _("time zone"),
    "theta_days": _("rule of loss"),
    "loss_rules": _("rules of specialities"),
    "name": _("name"),
    "role": _("role"),
    "branch_id": _("branch"),
    "is_active": _("access"),
    "messages": _("messages"),
    "scan": _("scan"),
    "items": _("services of visits"),
    "next_visit": _("next visit"),
    "amount": _("amount"),
    "date": _("date"),
    "purpose": _("purpose"),
    **funnel.FIELDS,
}


# Who has no account: kind of actor -> words.
NOBODY: dict[str, Any] = {"system": _("system"), "patient": _("the patient himself")}


def said(entries: Iterable[AuditEntry]) -> list[AuditEntry]:
    """The entries with `deed_said`, `kind_said`, `fields_said` and `who_said` for the page."""
    found: list[Any] = list(entries)
    for entry in found:
        entry.deed_said = DEEDS.get(entry.deed, entry.deed)
        entry.kind_said = KINDS.get(entry.object_kind, entry.object_kind)
        entry.fields_said = ", ".join(str(FIELDS.get(name, name)) for name in entry.fields)
        entry.who_said = NOBODY.get(entry.actor_kind, entry.actor_name)
    return found


def deed_options(chosen: str) -> list[dict[str, Any]]:
    """Options of the filter by deed, in the order of the alphabet; a code without words stays when it is asked for."""
    known = sorted(((code, str(text)) for code, text in DEEDS.items()), key=lambda pair: pair[1].lower())
    other = [(chosen, chosen)] if chosen and chosen not in DEEDS else []
    return [{"value": v, "label": label, "selected": v == chosen} for v, label in [("", "—"), *other, *known]]
