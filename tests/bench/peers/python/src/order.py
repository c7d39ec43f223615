"""From the sender's order to the one that formats and templates see: amounts as exact decimals in text, times in UTC."""

from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal

# Digits behind the point where they are not two (ISO 4217).
DECIMALS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}


@dataclass(slots=True)
class Payment:
    method: str | None
    state: str | None
    paid: bool


@dataclass(slots=True)
class Customer:
    id: str | None
    email: str | None
    name: str | None
    phone: str | None


@dataclass(slots=True)
class Address:
    name: str | None
    company: str | None
    street: str | None
    city: str | None
    postcode: str | None
    region: str | None
    country: str | None
    phone: str | None


@dataclass(slots=True)
class Item:
    sku: str | None
    name: str
    quantity: int | float
    unit_price: str
    discount: str | None
    tax: str | None
    total: str


@dataclass(slots=True)
class Order:
    id: str
    number: str
    shop: str
    store: str | None
    placed_at: str
    utc_offset: str
    updated_at: str | None
    currency: str
    total: str
    subtotal: str | None
    tax: str | None
    discount: str | None
    shipping: str | None
    payment: Payment
    state: str | None
    canceled: bool
    customer: Customer
    billing: Address
    delivery: Address
    items: list[Item]
    note: str | None
    extra: dict


NAMED = frozenset(Order.__slots__)


def read_order(shop, document):
    source = document.get("data") or document
    currency = required(source.get("currency"), "currency").strip().upper()
    decimals = DECIMALS.get(currency, 2)
    placed_at, utc_offset = moment(required(source.get("placed_at"), "placed_at"))
    state = text(source.get("state"))
    return Order(
        id=required(source.get("id"), "id"),
        number=required(source.get("number"), "number"),
        shop=shop,
        store=text(source.get("store")),
        placed_at=placed_at,
        utc_offset=text(source.get("utc_offset")) or utc_offset,
        updated_at=None if is_blank(source.get("updated_at")) else moment(source["updated_at"])[0],
        currency=currency,
        total=required(money(source.get("total"), decimals), "total"),
        subtotal=money(source.get("subtotal"), decimals),
        tax=money(source.get("tax"), decimals),
        discount=unsigned(money(source.get("discount"), decimals)),
        shipping=money(source.get("shipping"), decimals),
        payment=payment(source.get("payment") or {}),
        state=state,
        canceled=source.get("canceled", (state or "").lower() in ("canceled", "cancelled")),
        customer=texts(Customer, source.get("customer")),
        billing=address(source.get("billing")),
        delivery=address(source.get("delivery")),
        items=[item(line, decimals) for line in source["items"]],
        note=text(source.get("note")),
        extra={name: value for name, value in source.items() if name not in NAMED},
    )


def payment(source):
    state = text(source.get("state"))
    paid = source.get("paid", (state or "").lower() == "paid")
    return Payment(method=text(source.get("method")), state=state, paid=paid)


def address(source):
    address = texts(Address, source)
    if address.country and len(address.country) == 2:
        address.country = address.country.upper()
    return address


def item(line, decimals):
    quantity = Decimal(str(line["quantity"]))
    unit_price = required(money(line.get("unit_price"), decimals), "unit_price")
    discount = unsigned(money(line.get("discount"), decimals))
    total = money(line.get("total"), decimals)
    if total is None:
        total = money(quantity * Decimal(unit_price) - Decimal(discount or 0), decimals)
    return Item(
        sku=text(line.get("sku")),
        name=text(line.get("name")) or text(line.get("sku")) or "",
        quantity=int(quantity) if quantity == quantity.to_integral_value() else float(quantity),
        unit_price=unit_price,
        discount=discount,
        tax=money(line.get("tax"), decimals),
        total=total,
    )


def money(value, decimals):
    """With the currency's decimals, and more only where they say something."""
    if is_blank(value):
        return None
    amount = Decimal(str(value)).normalize()
    return f"{amount:.{max(decimals, -amount.as_tuple().exponent)}f}"


def unsigned(amount):
    return amount and amount.lstrip("-")


def moment(value):
    time = datetime.fromisoformat(value)
    offset = time.strftime("%z") or "+0000"
    utc = (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    written = utc.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{utc.microsecond:06}".rstrip("0") if utc.microsecond else ""
    return f"{written}{fraction}Z", f"{offset[:3]}:{offset[3:5]}"


def texts(kind, source):
    source = source or {}
    return kind(**{name: text(source.get(name)) for name in kind.__slots__})


def text(value):
    return None if is_blank(value) else str(value)


def is_blank(value):
    return value is None or value is False or (isinstance(value, str) and not value.strip())


def required(value, name):
    if is_blank(value):
        raise ValueError(f"{name}: expected a value")
    return str(value)
