"""Which checks have teeth: the library is attacked with named checks emptied, each in a subprocess.

Defences overlap, so a check that is missing may go unnoticed.  Here each defence is left alone: the
smallest set of other checks is emptied, and the provider does less than it should.  Then

* without the defence the attacker gets through;
* with it nothing happens;
* each check of the set, put back, stops the attack too, so the set is the smallest.

``python -m tests.teeth --seeds 10`` prints the table.
"""
