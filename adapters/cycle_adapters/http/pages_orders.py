"""What is said of a subscription on a page: a form for each command, a count before it delivers again."""

from __future__ import annotations

from typing import Any, cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from cycle.aggregates.account import territory_of
from cycle.aggregates.base import Refused, Role
from cycle.aggregates.group import RegisterConsumerGroup
from cycle.aggregates.terms import WebhookId
from cycle.aggregates.webhook import RegisterWebhook, RotateWebhookSecret
from cycle.catalogue import text
from cycle.commands import Said
from cycle.engine import Busy, Done
from cycle.failures import Failure
from cycle.forms.acts import Plain
from cycle.forms.typed import Posted
from cycle.groups.known import Groups
from cycle.leaf import LeafError
from cycle.store import Conflict, KeyReused, Unavailable
from cycle.subscriptions.counting import dry_count
from cycle.subscriptions.kinds import SAYINGS, Found, Kind
from cycle.subscriptions.known import identity_of, role_demanded
from cycle.subscriptions.listing import count_lines
from cycle.vault.keys import VaultError
from cycle.webhooks.endpoints import Secret, Webhooks
from cycle_adapters.http.overview import facts_of, found
from cycle_adapters.http.pages_desk import READ_FIRST, AtDesk, Desk, Fields, Typed
from cycle_adapters.http.pages_form import CHANGE, CHECKED, Form, Subject, fresh, sent
from cycle_adapters.http.pages_recorded import Meanwhile
from cycle_adapters.http.pages_sent import OnAPage, given_back
from cycle_adapters.http.pages_subscriptions import JSON
from cycle_adapters.http.problems import Stopped
from cycle_adapters.http.subscriptions import Identity


def order_pages() -> APIRouter:
    """Registering, and every command about a subscription."""
    router = APIRouter()
    begins, about = "/subscriptions/register/{kind}", "/subscriptions/{identity}/do/{command}"

    @router.get(begins, response_class=HTMLResponse)
    def register(kind: Kind, request: Request, desk: AtDesk) -> HTMLResponse:
        return begun(registering(desk, kind), request)

    @router.post(begins, dependencies=READ_FIRST)
    def registered(kind: Kind, desk: AtDesk, posted: Fields) -> Response:
        return ordered(registering(desk, kind), posted)

    @router.post(f"{begins}/again", dependencies=READ_FIRST)
    def register_again(kind: Kind, desk: AtDesk, typed: Typed) -> Response:
        return given_back(registering(desk, kind), typed)

    @router.get(about, response_class=HTMLResponse)
    def begin(identity: Identity, command: str, request: Request, desk: AtDesk) -> HTMLResponse:
        return begun(order_of(desk, identity, command), request)

    @router.post(about, dependencies=READ_FIRST)
    def do(identity: Identity, command: str, desk: AtDesk, posted: Fields) -> Response:
        return ordered(order_of(desk, identity, command), posted)

    @router.post(f"{about}/again", dependencies=READ_FIRST)
    def again(identity: Identity, command: str, desk: AtDesk, typed: Typed) -> Response:
        return given_back(order_of(desk, identity, command), typed)

    return router


class Order(Form):
    """One command's form on one subscription; on none (``each`` None), where one is registered."""

    template, check_template, says_when = "order.html", "order-check.html", False

    def __init__(self, desk: Desk, subject: Subject, name: str, role: Role, action: str, each: Found | None) -> None:
        super().__init__(desk, subject, Plain(name), (role,), action)
        self.desk, self.each = desk, each
        self.sayings = SAYINGS[each.kind] if each else None
        self.json = f"{JSON[each.kind]}/{each.own.id}" if each else "/api/v1/subscriptions"

    @property
    def removes(self) -> bool:
        return self.sayings is not None and self.act.command is self.sayings.acts.removes.says

    @property
    def delivers_again(self) -> bool:
        acts = self.sayings.acts if self.sayings else None
        return acts is not None and self.act.command in (acts.replays.says, acts.rewinds.says)

    def looks_again(self, said: Said) -> bool:
        """Whether it is shown once more before it is recorded: not where it delivers one event again."""
        up_to, after = getattr(said.command, "up_to", None), getattr(said.command, "after", 0)
        return self.removes or (self.delivers_again and (up_to is None or up_to - after > 1))

    def counted(self, said: Said) -> list[str]:
        """What it would deliver, in sentences; nothing of what delivers nothing again."""
        if self.each is None or not self.delivers_again:
            return []
        fields = cast("Any", said.command)
        counted = dry_count(self.each.known, self.each.own, fields.after, getattr(fields, "up_to", None))
        names = {code: home.name for code, home in self.desk.homes.items()}
        return count_lines(counted, self.desk.language, names)

    def meanwhile(self, said: Said) -> tuple[Meanwhile, ...]:
        if self.each is None:
            return ()
        facts = facts_of(self.each, self.desk.language, said.version or 0)
        return tuple(Meanwhile(fact.version, fact.sentence, fact.by.actor) for fact in facts)[::-1]

    def carried_out(self, said: Said) -> Done | Secret:
        """Raises: whatever saying a command does."""
        engine, actor, each = self.desk.engine, said.by.actor, self.each
        match said.command:
            case RegisterWebhook() as new:
                return Webhooks(engine).add(actor, new.url, new.types, new.territory, new.after, said.key)
            case RegisterConsumerGroup() as new:
                return Groups(engine).add(actor, new.name, new.types, new.territory, new.after, said.key)
            case RotateWebhookSecret(overlap_hours=hours) if each:
                known = cast("Webhooks", each.known)
                return known.rotate(actor, WebhookId(each.own.id), hours, said.key, said.version)
        done = engine.carry_out(said)
        if each and self.removes:
            each.known.forget(each.own.id)
        return done


def registering(desk: Desk, kind: Kind) -> Order:
    """The form by which a subscription begins.

    Raises:
        Forbidden: the account may register none anywhere.
    """
    name = SAYINGS[kind].registers.type
    desk.call.may(name)
    role = role_demanded(desk.engine, desk.actor, name)
    subject = Subject("/subscriptions", "/subscriptions", "", "")
    return Order(desk, subject, name, role, f"/subscriptions/register/{kind.value}", None)


def order_of(desk: Desk, identity: str, command: str) -> Order:
    """The form of a command about a subscription.

    Raises:
        NoSubscription: the account sees none that is called so.
        Stopped: there is no such form.
        Forbidden: the account sees it, and may not say this of it.
    """
    each = found(desk.call, identity)
    own = each.own
    if command not in SAYINGS[each.kind].names:
        raise Stopped("not-found", list="/subscriptions")
    desk.call.may(command)
    role = role_demanded(desk.engine, desk.actor, command, own)
    base = f"/subscriptions/{own.id}"
    subject = Subject(base, base, each.name, "", target=own.id, version=own.version)
    return Order(desk, subject, command, role, f"{base}/do/{command}", each)


def begun(order: Order, request: Request) -> HTMLResponse:
    """The form as nobody has filled it in; an address may say some of it already."""
    asked = {**suggested(order), **request.query_params}
    return order.page(fresh(order.act, order.today, order.subject.version, asked))


def suggested(order: Order) -> dict[str, str]:
    """What a new subscription most likely wants: what comes from now on, of all that its owner holds."""
    if order.each is not None:
        return {}
    door, engine = order.desk.engine.door, order.desk.engine
    grants = door.now.grants(order.desk.actor, door.today())
    held = sorted((grant.territory for grant in grants if grant.role in order.act.command.roles), key=len)
    return {"after": str(engine.store.head().position), "territory": territory_of(held[0]) if held else "/"}


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
    return shown_once(order, done) if isinstance(done, Secret) else gone_on(order, done)


def gone_on(order: Order, done: Done) -> Response:
    """Where it is seen what has come of it; what is removed is seen nowhere."""
    if order.removes:
        return order.desk.go_to("/subscriptions")
    return order.desk.go_to(f"/subscriptions/{identity_of(done.receipt.stream)}?said={done.receipt.key}")


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
