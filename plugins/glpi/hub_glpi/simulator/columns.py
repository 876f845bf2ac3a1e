"""The columns of GLPI's tables that the API shows, with the values of a fresh row.

Names and values as recorded from 10.0.14; ``columns_of`` gives those of another release.
"""

from __future__ import annotations

from typing import Any

from hub_glpi.simulator.releases import Release

Row = dict[str, Any]


def _row(columns: str) -> Row:
    """``a b=0 c=`` as {"a": None, "b": 0, "c": ""}."""
    row: Row = {}
    for column in columns.split():
        name, given, value = column.partition("=")
        row[name] = None if not given else value if not value.lstrip("-").isdigit() else int(value)
    return row


_USER = _row(
    """id name password_last_update phone phone2 mobile realname firstname locations_id=0 language
    use_mode=0 list_limit is_active=1 comment auths_id=0 authtype=1 last_login date_mod date_sync
    is_deleted=0 profiles_id=0 entities_id=0 usertitles_id=0 usercategories_id=0 date_format
    number_format names_format csv_delimiter is_ids_visible use_flat_dropdowntree
    use_flat_dropdowntree_on_search_result show_jobs_at_login priority_1 priority_2 priority_3
    priority_4 priority_5 priority_6 followup_private task_private default_requesttypes_id
    password_forget_token password_forget_token_date user_dn user_dn_hash registration_number
    show_count_on_tabs refresh_views set_default_tech personal_token_date api_token_date
    cookie_token_date display_count_on_home notification_to_myself duedateok_color
    duedatewarning_color duedatecritical_color duedatewarning_less duedatecritical_less
    duedatewarning_unit duedatecritical_unit display_options is_deleted_ldap=0 pdffont picture
    begin_date end_date keep_devices_when_purging_item privatebookmarkorder backcreated task_state
    layout palette page_layout fold_menu fold_search savedsearches_pinned timeline_order itil_layout
    richtext_layout set_default_requester lock_autolock_mode lock_directunlock_notification
    date_creation highcontrast_css=0 plannings sync_field groups_id=0 users_id_supervisor=0 timezone
    default_dashboard_central default_dashboard_assets default_dashboard_helpdesk
    default_dashboard_mini_ticket default_central_tab=0 nickname timeline_action_btn_layout
    timeline_date_format"""
)
_ENTITY = _row(
    """id name entities_id=0 completename comment level=1 sons_cache ancestors_cache
    registration_number address postcode town state country website phonenumber fax email
    admin_email admin_email_name admin_reply admin_reply_name from_email from_email_name
    noreply_email noreply_email_name replyto_email replyto_email_name notification_subject_tag
    ldap_dn tag authldaps_id=0 mail_domain entity_ldapfilter mailing_signature
    cartridges_alert_repeat=0 consumables_alert_repeat=0 use_licenses_alert=0
    send_licenses_alert_before_delay=0 use_certificates_alert=0
    send_certificates_alert_before_delay=0 certificates_alert_repeat_interval=0
    use_contracts_alert=0 send_contracts_alert_before_delay=0 use_infocoms_alert=0
    send_infocoms_alert_before_delay=0 use_reservations_alert=0 use_domains_alert=-2
    send_domains_alert_close_expiries_delay=-2 send_domains_alert_expired_delay=-2
    autoclose_delay=-10 autopurge_delay=-10 notclosed_delay=0 calendars_strategy=0 calendars_id=0
    auto_assign_mode=-10 tickettype=1 max_closedate inquest_config=1 inquest_rate=0 inquest_delay=0
    inquest_URL autofill_warranty_date=0 autofill_use_date=0 autofill_buy_date=0
    autofill_delivery_date=0 autofill_order_date=0 tickettemplates_strategy=0 tickettemplates_id=1
    changetemplates_strategy=0 changetemplates_id=1 problemtemplates_strategy=0
    problemtemplates_id=1 entities_strategy_software=-10 entities_id_software=-10
    default_contract_alert=0 default_infocom_alert=0 default_cartridges_alarm_threshold=10
    default_consumables_alarm_threshold=10 delay_send_emails=0 is_notif_enable_default=1
    inquest_duration=0 date_mod date_creation autofill_decommission_date=0 suppliers_as_private=0
    anonymize_support_agents=0 display_users_initials=1 contracts_strategy_default=0
    contracts_id_default=0 enable_custom_css=0 custom_css_code latitude longitude altitude
    transfers_strategy=0 transfers_id=0 agent_base_url"""
)
# These five hold numbers as text.
_ENTITY |= {name: str(value) for name, value in _ENTITY.items() if name.startswith("autofill_")}

# A new entity inherits (-2) where the root entity has settings of its own.
_INHERITS_NOT = _row(
    "id entities_id level authldaps_id autopurge_delay inquest_rate inquest_delay inquest_duration"
)
SUB_ENTITY: Row = {
    name: "-2" if isinstance(value, str) else -2
    for name, value in _ENTITY.items()
    if value is not None and name not in _INHERITS_NOT
} | {"inquest_delay": -10}

_TICKET = _row(
    """id entities_id=0 name= date closedate solvedate takeintoaccountdate date_mod
    users_id_lastupdater=0 status=1 users_id_recipient=0 requesttypes_id=1 content= urgency=3
    impact=3 priority=3 itilcategories_id=0 type=1 global_validation=1 slas_id_ttr=0 slas_id_tto=0
    slalevels_id_ttr=0 time_to_resolve time_to_own begin_waiting_date sla_waiting_duration=0
    ola_waiting_duration=0 olas_id_tto=0 olas_id_ttr=0 olalevels_id_ttr=0 ola_tto_begin_date
    ola_ttr_begin_date internal_time_to_resolve internal_time_to_own waiting_duration=0
    close_delay_stat=0 solve_delay_stat=0 takeintoaccount_delay_stat=0 actiontime=0 is_deleted=0
    locations_id=0 validation_percent=0 date_creation"""
)

COLUMNS: dict[str, Row] = {
    "User": _USER,
    "Entity": _ENTITY,
    "Ticket": _TICKET,
    "UserEmail": _row("id users_id=0 is_default=0 is_dynamic=0 email"),
    "Profile_User": _row(
        "id users_id=0 profiles_id=0 entities_id=0 is_recursive=0 is_dynamic=0 is_default_profile=0"
    ),
    "Profile": _row("id name interface"),
    "RequestType": _row("id name is_helpdesk_default=0 is_mail_default=0 is_active=1"),
    "Contact": _row(
        """id entities_id=0 is_recursive=0 name firstname registration_number phone phone2 mobile
        fax email contacttypes_id=0 comment is_deleted=0 usertitles_id=0 address postcode town state
        country date_mod date_creation pictures"""
    ),
    "Ticket_User": _row("id tickets_id=0 users_id=0 type=1 use_notification=1 alternative_email="),
    "ITILFollowup": _row(
        """id itemtype items_id=0 date users_id=0 users_id_editor=0 content is_private=0
        requesttypes_id=0 date_mod date_creation timeline_position=1 sourceitems_id=0
        sourceof_items_id=0"""
    ),
    "ITILSolution": _row(
        """id itemtype items_id=0 solutiontypes_id=0 solutiontype_name content date_creation
        date_mod date_approval users_id=0 user_name users_id_editor=0 users_id_approval=0
        user_name_approval status=2 itilfollowups_id"""
    ),
    "ITILCategory": _row(
        """id entities_id=0 is_recursive=0 itilcategories_id=0 name completename comment level=1
        is_helpdeskvisible=1 is_incident=1 is_request=1 code date_mod date_creation"""
    ),
    "Document": _row(
        """id entities_id=0 is_recursive=0 name filename filepath documentcategories_id=0 mime
        date_mod comment is_deleted=0 link users_id=0 tickets_id=0 sha1sum is_blacklisted=0 tag
        date_creation"""
    ),
    "Document_Item": _row(
        """id documents_id=0 items_id=0 itemtype entities_id=0 is_recursive=0 date_mod users_id=0
        timeline_position=1 date_creation date"""
    ),
}

_ONLY_9_5 = {"User": {"layout"}, "Entity": {"admin_reply", "admin_reply_name"}}
_NOT_IN_9_5 = {
    "User": set(
        _row(
            """use_flat_dropdowntree_on_search_result user_dn_hash page_layout fold_menu fold_search
        savedsearches_pinned timeline_order itil_layout richtext_layout default_central_tab nickname
        timeline_action_btn_layout timeline_date_format"""
        )
    ),
    "Entity": set(
        _row(
            """registration_number from_email from_email_name noreply_email noreply_email_name
        replyto_email replyto_email_name certificates_alert_repeat_interval calendars_strategy
        tickettemplates_strategy changetemplates_strategy problemtemplates_strategy
        entities_strategy_software display_users_initials contracts_strategy_default
        contracts_id_default transfers_strategy transfers_id agent_base_url"""
        )
    ),
    "Ticket": {"takeintoaccountdate", "ola_tto_begin_date"},
    "Contact": {"registration_number", "pictures"},
}


def columns_of(itemtype: str, release: Release) -> Row:
    """A fresh row of one table, in one release."""
    absent = (_NOT_IN_9_5 if release.version.startswith("9.") else _ONLY_9_5).get(itemtype, set())
    return {name: value for name, value in COLUMNS[itemtype].items() if name not in absent}
