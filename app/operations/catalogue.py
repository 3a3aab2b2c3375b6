"""Every operation by name, so that the command line, the documentation and tests reach each of them."""

from __future__ import annotations

from typing import Any

from app.operations import (
    alarms,
    imports,
    inspections,
    issues,
    machine_passwords,
    machines,
    maintenance,
    notes,
    orders,
    people,
    plant,
    saved_views,
    stages,
)
from app.operations.change import Operation
from app.operations.undo import undo

_OFFERED: tuple[Operation[..., Any], ...] = (
    orders.create_work_order,
    orders.edit_work_orders,
    orders.cancel_work_orders,
    orders.delete_work_orders,
    orders.set_route,
    stages.move_stage,
    stages.advance_work_order,
    stages.move_order_to_stage,
    stages.assign_stages,
    issues.raise_issue,
    issues.acknowledge_issue,
    issues.resolve_issue,
    issues.reopen_issue,
    inspections.log_inspection,
    maintenance.plan_maintenance,
    plant.apply_plant,
    plant.save_machine,
    plant.save_equipment,
    plant.save_tags,
    plant.rename_tag,
    plant.delete_tags,
    plant.delete_connection,
    plant.enable_connection,
    plant.set_limits,
    plant.set_maintenance,
    alarms.acknowledge_alarm,
    alarms.acknowledge_alarms,
    alarms.reset_alarm,
    alarms.shelve_alarm,
    alarms.unshelve_alarm,
    alarms.take_alarm_out_of_service,
    alarms.return_alarm_to_service,
    machines.write_to_machine,
    machine_passwords.note_machine_password,
    notes.write_note,
    notes.edit_note,
    notes.delete_note,
    saved_views.save_view,
    saved_views.rename_view,
    saved_views.share_view,
    saved_views.delete_view,
    imports.apply_import,
    imports.save_import_template,
    people.create_first_admin,
    people.add_user,
    people.set_role,
    people.disable_user,
    people.enable_user,
    people.reset_password,
    people.change_own_password,
    undo,
)

OPERATIONS: dict[str, Operation[..., Any]] = {operation.name: operation for operation in _OFFERED}
