# SPDX-License-Identifier: GPL-2.0-or-later
# awk -F'\t' -f table.awk: what matrix found out, lines "WANTED, ARGUMENTS, VERDICT", as tables in Markdown: a row for
# each condition, a column for each client; then why the scenarios without asymbpf failed; then what should not have.
BEGIN {
	n_clients = split("renewer raw udhcpc dhclient dhclient-one dhcpcd dhcpcd-each networkd", clients, " ")
}
function value(name, otherwise, _i) {
	for (_i = 1; _i <= n_args; _i++)
		if (index(args[_i], name "=") == 1)
			return substr(args[_i], length(name) + 2)
	return otherwise
}
function others(_i, _text) {
	for (_i = 1; _i <= n_args; _i++)
		if (args[_i] !~ /^(with|client|server|wans)=/)
			_text = _text (_text == "" ? "" : " ") args[_i]
	return _text
}
{
	n_args = split($2, args, " ")
	passed = $3 == "PASS"
	good = $1 == "passes" ? passed : $3 ~ /^FAIL: /
	row = value("with", "none") " | " value("server", "isc") " | " value("wans", 2) " | " others()
	if (!(row in known)) { known[row]; rows[++n_rows] = row }
	cell[row, value("client", "renewer")] = passed ? (good ? "ok" : "**no failure**") : good ? "fails" : "**FAILS**"
	if (good) n_good++
	else { n_bad++; bad[n_bad] = $2 ": " $3 }
	if ($1 == "fails" && good) why[++n_why] = "`" $2 "`: " substr($3, 7)
}
END {
	head = "| asymbpf | server | WANs | conditions |"; rule = "|---|---|---|---|"
	for (c = 1; c <= n_clients; c++) { head = head " " clients[c] " |"; rule = rule "---|" }
	print head; print rule
	for (r = 1; r <= n_rows; r++) {
		line = "| " rows[r] " |"
		for (c = 1; c <= n_clients; c++) line = line " " cell[rows[r], clients[c]] " |"
		print line
	}
	if (n_why) print "\nFailures that were wanted:\n"
	for (i = 1; i <= n_why; i++) print "- " why[i]
	if (n_bad) print "\nNot as wanted:\n"
	for (i = 1; i <= n_bad; i++) print "- `" bad[i] "`"
	print "\n" n_good + 0 " as wanted, " n_bad + 0 " not"
	exit n_bad || !n_good
}
