"""SmartAccounts, API 1.7: https://www.smartaccounts.eu/uuskodu2015/wp-content/uploads/2025/04/SmartAccounts_API_latest.pdf

What that document leaves open, and how we take it:

- A 401 tells by words of its body, if at all, whether the key, the secret or the clock is wrong. Only a wrong
  signature is documented, so without words the secret is named.
- A 503 is the request limit or an unpaid bill; which, is told by words. Without words it is taken for the limit.
- The JSON of a refusal has no published names: every text in it is read.
- Dates are days in Estonia, both ends of a period belong to it, and twelve months may be asked at once.
- Lists stand under a key of their own name, which is not published either: the only array but `deleted` is taken.
- The order of lists is unknown; entries and invoices keep their ids, so one that comes twice counts once.
- `unpaid` holds what is paid in part. An invoice that is not in it is asked for by its id, so that nothing hangs on it.
- A credit note's totals may come with either sign; they are taken as negative. It is sent with positive quantities.
- An invoice number may repeat: who sent an invoice twice would have two. Our id stands in the comment.
- No call names the company. The e-invoice made of a sales invoice does, in the Estonian standard's SellerParty.
"""
