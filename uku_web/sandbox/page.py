"""The people's page of the switch board; plain forms, no script."""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stand-ins</title>
<style>
  :root { color-scheme: light dark; --line: #8885; --soft: #8881; --accent: #2563eb; --bad: #c2410c; }
  body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1.5rem; }
  h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
  p { margin: .3rem 0; } .quiet { opacity: .7; } .problem { color: var(--bad); font-weight: 600; }
  .scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .92rem; }
  th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
  form.new { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .8rem;
    background: var(--soft); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem; align-items: end; }
  label { display: grid; gap: .2rem; font-size: .85rem; }
  input, select, button { font: inherit; padding: .4rem .5rem; border: 1px solid var(--line); border-radius: .4rem; min-width: 0; }
  button { cursor: pointer; } button.main { background: var(--accent); color: #fff; border-color: var(--accent); }
  code { font-size: .9em; } :focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
</style>
</head>
<body>
<main>
<h1>Stand-ins</h1>
<p class="quiet">They play the accounting systems. Their clock says {{ now.strftime("%d.%m.%Y %H:%M") }} UTC.</p>
{% if problem %}<p class="problem" role="alert">{{ problem }}</p>{% endif %}

<h2>Switch a fault on</h2>
<form class="new" method="post" action="/switches">
  <label>Fault <select name="fault">
    {% for name, fault in faults.items() %}
    <option value="{{ name }}"{% if given.fault == name %} selected{% endif %}>{{ fault.label }}{% if fault.value %} ({{ fault.value }}){% endif %}</option>
    {% endfor %}</select></label>
  <label>Value <input name="value" value="{{ given.value }}"></label>
  <label>Vendor <select name="vendor"><option value="*">all</option>
    {% for stand_in in stand_ins %}<option{% if given.vendor == stand_in.kind %} selected{% endif %}>{{ stand_in.kind }}</option>{% endfor %}
  </select></label>
  <label>Variant <input name="variant" list="variants" placeholder="all" value="{{ given.variant }}"></label>
  <label>Account <input name="account" list="accounts" placeholder="all" value="{{ given.account }}"></label>
  <label>Path contains <input name="path" placeholder="any" value="{{ given.path }}"></label>
  <label>Only the next … requests <input name="times" inputmode="numeric" placeholder="until switched off" value="{{ given.times }}"></label>
  <button class="main" name="action" value="on">Switch on</button>
  <datalist id="variants">{% for stand_in in stand_ins %}{% for variant in stand_in.variants if variant %}
    <option value="{{ variant }}">{{ stand_in.kind }}</option>{% endfor %}{% endfor %}</datalist>
  <datalist id="accounts">{% for account in accounts %}<option value="{{ account.account }}">{{ account.name }}</option>{% endfor %}</datalist>
</form>

<h2>Faults on</h2>
{% if switches %}
<div class="scroll"><table>
  <thead><tr><th>Fault</th><th>Value</th><th>Vendor</th><th>Variant</th><th>Account</th><th>Path</th><th>Left</th><th></th></tr></thead>
  <tbody>{% for switch in switches %}
  <tr><td>{{ faults[switch.fault].label }}</td><td>{{ switch.value or "" }}</td><td>{{ switch.vendor }}</td>
    <td>{{ switch.variant }}</td><td>{{ switch.account }}</td><td>{{ switch.path }}</td>
    <td>{{ switch.remaining if switch.remaining is not none else "" }}</td>
    <td><form method="post" action="/switches"><input type="hidden" name="id" value="{{ switch.id }}">
      <button name="action" value="off" aria-label="Switch off: {{ faults[switch.fault].label }}">Off</button></form></td></tr>
  {% endfor %}</tbody>
</table></div>
{% else %}<p>None: everything answers as documented.</p>{% endif %}
<form method="post" action="/switches"><p><button name="action" value="reset">Reset everything</button>
  <span class="quiet">switches, the log, used limits and what was written into the books</span></p></form>

<h2>Companies</h2>
<div class="scroll"><table>
  <thead><tr><th>Vendor</th><th>Variant</th><th>Company</th><th>Books</th><th>Credentials</th></tr></thead>
  <tbody>{% for account in accounts %}
  <tr><td>{{ account.kind }}</td><td>{{ account.variant or "" }}</td><td>{{ account.name }}</td><td>{{ account.size }}</td>
    <td>{% for name, value in account.credentials.items() %}{{ name }} <code>{{ value }}</code> {% endfor %}</td></tr>
  {% endfor %}</tbody>
</table></div>

<h2>Last requests</h2>
<div class="scroll"><table>
  <thead><tr><th>At</th><th>Status</th><th>Fault</th><th>Request</th><th>Account</th></tr></thead>
  <tbody>{% for row in received %}
  <tr><td>{{ row.at[11:19] }}</td><td>{{ row.status or "none" }}</td><td>{{ row.fault or "" }}</td>
    <td>{{ row.method }} {{ row.path }}</td><td>{{ row.account or "" }}</td></tr>
  {% else %}<tr><td colspan="5">Nothing received yet.</td></tr>{% endfor %}</tbody>
</table></div>
<p class="quiet">{% for stand_in in stand_ins %}{% for variant in stand_in.variants %}{{ root }}{{ stand_in.base_path(variant) }}<br>{% endfor %}{% endfor %}</p>
</main>
</body>
</html>
"""  # noqa: E501
