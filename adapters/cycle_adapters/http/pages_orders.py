"""What is said of a subscription on a page: a form for each command, a count before what sends again, a secret once."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from cycle.aggregates.account import territory_of
from cycle.aggregates.base import Refused, Role
from cycle.aggregates.webhook import (
    RegisterWebhook,
    RemoveWebhook,
    ReplayWebhook,
    RewindWebhook,
    RotateWebhookSecret,
    Webhook,
)
from cycle.catalogue import text
from cycle.commands import Said
from cycle.engine import Busy, Done
from cycle.failures import Failure
from cycle.forms.acts import Plain
from cycle.forms.typed import Posted
from cycle.leaf import LeafError
from cycle.store import Conflict, KeyReused, Unavailable
from cycle.subscriptions.counting import dry_count
from cycle.subscriptions.listing import count_lines
from cycle.subscriptions.overview import role_demanded
from cycle.vault.keys import VaultError
from cycle.webhooks.endpoints import Secret, Webhooks
from cycle_adapters.http.overview import LISTS, facts_of, found
from cycle_adapters.http.pages_desk import READ_FIRST, AtDesk, Desk, Fields, Typed
from cycle_adapters.http.pages_form import CHANGE, CHECKED, Form, Subject, fresh, sent
from cycle_adapters.http.pages_recorded import Meanwhile
from cycle_adapters.http.pages_sent import OnAPage, given_back
from cycle_adapters.http.pages_subscriptions import ORDERS, REGISTER
from cycle_adapters.http.problems import Stopped
from cycle_adapters.http.subscriptions import Identity

LOOKED_AT = (RewindWebhook.type, RemoveWebhook.type)
"""What is shown once more before it is recorded, whatever it says; a replay is where it sends more than one event."""


def order_pages() -> APIRouter:
    """Registering, and every command about a subscription."""
    router = APIRouter()

    @router.get(REGISTER, response_class=HTMLResponse)
    def register(request: Request, desk: AtDesk) -> HTMLResponse:
        return begun(registering(desk), request)

    @router.post(REGISTER, dependencies=READ_FIRST)
    def registered(desk: AtDesk, posted: Fields) -> Response:
        return ordered(registering(desk), posted)

    @router.post(f"{REGISTER}/again", dependencies=READ_FIRST)
    def register_again(desk: AtDesk, typed: Typed) -> Response:
        return given_back(registering(desk), typed)

    path = "/subscriptions/{identity}/do/{command}"

    @router.get(path, response_class=HTMLResponse)
    def begin(identity: Identity, command: str, request: Request, desk: AtDesk) -> HTMLResponse:
        return begun(order_of(desk, identity, command), request)

    @router.post(path, dependencies=READ_FIRST)
    def do(identity: Identity, command: str, desk: AtDesk, posted: Fields) -> Response:
        return ordered(order_of(desk, identity, command), posted)

    @router.post(f"{path}/again", dependencies=READ_FIRST)
    def again(identity: Identity, command: str, desk: AtDesk, typed: Typed) -> Response:
        return given_back(order_of(desk, identity, command), typed)

    return router


class Order(Form):
    """One command's form on one subscription; on none, where one is registered."""

    template, check_template = "order.html", "order-check.html"

    def __init__(self, desk: Desk, subject: Subject, act: Plain, role: Role, action: str, known: Webhooks) -> None:
        super().__init__(desk, subject, act, (role,), action)
        self.desk, self.known = desk, known
        self.own: Webhook | None = None

    def looks_again(self, said: Said) -> bool:
        """Whether it is shown once more before it is recorded."""
        match said.command:
            case ReplayWebhook(after=after, up_to=up_to):
                return up_to - after > 1
        return self.name in LOOKED_AT

    def counted(self, said: Said) -> list[str]:
        """What it would send, in sentences; nothing of what sends nothing again."""
        match said.command, self.own:
            case ReplayWebhook(after=after, up_to=up_to), Webhook() as own:
                found = dry_count(self.known, own, after, up_to)
            case RewindWebhook(after=after), Webhook() as own:
                found = dry_count(self.known, own, after)
            case _:
                return []
        names = {code: home.name for code, home in self.desk.homes.items()}
        return count_lines(found, self.desk.language, names)

    def meanwhile(self, said: Said) -> tuple[Meanwhile, ...]:
        own = self.own
        if own is None:
            return ()
        facts = facts_of(self.desk.engine, own, self.desk.language, said.version or 0)
        return tuple(Meanwhile(fact.version, fact.sentence, fact.by.actor) for fact in facts)[::-1]

    def carried_out(self, said: Said) -> Done | Secret:
        """Raises: whatever saying a command does."""
        actor, known = said.by.actor, self.known
        match said.command, self.own:
            case RegisterWebhook() as new, _:
                return known.add(actor, new.url, new.types, new.territory, new.after, said.key)
            case RotateWebhookSecret(overlap_hours=hours), Webhook(id=identity):
                return known.rotate(actor, identity, hours, said.key, said.version)
            case RemoveWebhook(), Webhook(id=identity):
                done = self.desk.engine.carry_out(said)
                known.forget(identity)
                return done
        return self.desk.engine.carry_out(said)


def registering(desk: Desk) -> Order:
    """The form by which a webhook begins.

    Raises:
        Forbidden: the account may register none anywhere.
    """
    desk.call.may(RegisterWebhook.type)
    role = role_demanded(desk.engine, desk.actor, RegisterWebhook.type)
    subject = Subject("/subscriptions", "/subscriptions", "", "")
    return Order(desk, subject, Plain(RegisterWebhook.type), role, REGISTER, Webhooks(desk.engine))


def order_of(desk: Desk, identity: str, command: str) -> Order:
    """The form of a command about a subscription.

    Raises:
        PlaceUnknown: the account sees none that is called so.
        Stopped: there is no such form.
        Forbidden: the account sees it, and may not say this of it.
    """
    known, own = found(desk.call, identity, LISTS)
    if command not in ORDERS:
        raise Stopped("not-found", list="/subscriptions")
    desk.call.may(command)
    role = role_demanded(desk.engine, desk.actor, command, own)
    base = f"/subscriptions/{own.id}"
    subject = Subject(base, base, own.url, "", target=own.id, version=own.version)
    order = Order(desk, subject, Plain(command), role, f"{base}/do/{command}", known)
    order.own = own
    return order


def begun(order: Order, request: Request) -> HTMLResponse:
    """The form as nobody has filled it in; an address may say some of it already."""
    return order.page(
        fresh(order.act, order.today, order.subject.version, {**suggested(order), **request.query_params})
    )


def suggested(order: Order) -> Mapping[str, str]:
    """What a new webhook most likely wants: from now on, and all that its owner holds."""
    if order.own is not None:
        return {}
    door, engine = order.desk.engine.door, order.desk.engine
    grants = door.now.grants(order.desk.actor, door.today())
    held = sorted((grant.territory for grant in grants if grant.role in RegisterWebhook.roles), key=len)
    where = territory_of(held[0]) if held else "/"
    return {"after": str(engine.store.head().position), "territory": where}


def ordered(order: Order, posted: Posted) -> Response:
    """What was sent: shown again with what is wrong, looked at once more, or recorded."""
    filled = sent(order.act, posted)
    page = OnAPage(order.desk, order, filled, posted)
    if CHANGE in posted:
        return page.again(filled)
    if errors := order.faults(filled):
        return page.wrong(errors)
    said = order.saying(filled)
    if order.looks_again(said) and CHECKED not in posted:
        return order.check_page(filled, posted, counted=order.counted(said))
    try:
        done = order.carried_out(said)
    except VaultError:
        return page.again(filled, 503, text("problem.no-secret-here", order.desk.language))
    except (Refused, KeyReused, Busy, Conflict, Unavailable, Failure, LeafError) as error:
        return page.not_recorded(said, error)
    return shown_once(order, done) if isinstance(done, Secret) else gone_back(order, done)


def gone_back(order: Order, done: Done) -> Response:
    """Where it is seen what has come of it; a webhook that is removed is seen nowhere."""
    if order.name == RemoveWebhook.type:
        return order.desk.go_to("/subscriptions")
    return order.desk.go_to(f"{order.subject.base}?said={done.receipt.key}")


def shown_once(order: Order, made: Secret) -> Response:
    """The secret, on the one page that has it: kept by nobody, and not there again when the form is sent again."""
    page = order.desk.page(
        "secret.html",
        status=201 if made.done.new else 200,
        path="/subscriptions",
        webhook=made.webhook,
        secret=made.secret if made.done.new else "",
    )
    page.headers["Cache-Control"] = "no-store"
    return page
