"""
Many machines: jobs of a ledger in PostgreSQL as tasks of Procrastinate, and what carries them out.

The ledger stays the only truth about a job. A task says no more than that a variant of a batch
wants to be carried to its end; whoever takes it goes on from where the ledger knows the job to be,
under a claim, by the same rules as after a crash. So a task that is done twice, or by two workers
at once, does no harm.
"""
