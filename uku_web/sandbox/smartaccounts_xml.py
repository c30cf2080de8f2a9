"""A sales invoice as an Estonian e-invoice, as far as a reader of names, numbers and sums needs it."""

from xml.etree.ElementTree import Element, SubElement, tostring

from .documents import Invoice, Party
from .smartaccounts_calls import Company


def e_invoice(invoice: Invoice, seller: Company) -> bytes:
    root = Element("E_Invoice")
    header = SubElement(root, "Header")
    _texts(header, Date=invoice.date.isoformat(), FileId=invoice.id, Version="1.2")
    document = SubElement(root, "Invoice", invoiceId=invoice.id, sellerRegnumber=seller.register_code)
    parties = SubElement(document, "InvoiceParties")
    _party(parties, "SellerParty", seller.name, seller.register_code, seller.vat_number)
    _buyer(parties, invoice.party)
    _information(document, invoice)
    _sums(document, invoice)
    _items(document, invoice)
    return tostring(root, encoding="utf-8", xml_declaration=True)


def _texts(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        if text:
            SubElement(parent, name).text = text


def _party(parties: Element, tag: str, name: str, reg_no: str, vat_no: str) -> None:
    _texts(SubElement(parties, tag), Name=name, RegNumber=reg_no, VATRegNumber=vat_no)


def _buyer(parties: Element, party: Party) -> None:
    _party(parties, "BuyerParty", party.name, party.reg_no, party.vat_no)


def _information(document: Element, invoice: Invoice) -> None:
    information = SubElement(document, "InvoiceInformation")
    SubElement(information, "Type", type="CRE" if invoice.gross < 0 else "DEB")
    _texts(
        information,
        DocumentName="ARVE",
        InvoiceNumber=invoice.number,
        PaymentReferenceNumber=invoice.reference,
        InvoiceDate=invoice.date.isoformat(),
        DueDate=invoice.due.isoformat(),
    )


def _sums(document: Element, invoice: Invoice) -> None:
    group = SubElement(document, "InvoiceSumGroup")
    _texts(
        group,
        InvoiceSum=str(invoice.net),
        TotalVATSum=str(invoice.vat),
        TotalSum=str(invoice.gross),
        Currency=invoice.currency,
    )


def _items(document: Element, invoice: Invoice) -> None:
    group = SubElement(SubElement(document, "InvoiceItem"), "InvoiceItemGroup")
    for row in invoice.rows:
        entry = SubElement(group, "ItemEntry")
        _texts(entry, Description=row.description, ItemSum=str(row.net))
