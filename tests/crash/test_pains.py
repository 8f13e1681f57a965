"""What goes wrong with queues and workers elsewhere, and the test here that it does not.

| pain or fault | test |
| --- | --- |
| rows stuck after a crash | test_workers.TestDeath.test_another_name_takes_over_at_once |
| a rescuer that overwrites completed work | test_workers.TestLease.test_late_report |
| a rescuer that is late or missing | test_workers.TestLease.test_not_before_it_ends |
| work stranded under an old worker's name | test_workers.TestDeath.test_the_same_name_again |
| two workers under one name | test_workers.TestNames.test_two_processes |
| a reused worker id | test_workers.TestNames.test_free_again |
| a zombie that reports late | test_workers.TestLease.test_late_report |
| a zombie that reports twice | test_workers.TestLease.test_reported_twice |
| limits not released on death | test_workers.TestDeath.test_no_limit_stays_taken |
| slow heartbeats | test_workers.TestLease.test_checked_before_each_send |
| a dead job that fills its own slot | test_workers.TestBacklog.test_a_dead_action_frees_its_place |
| a retry time beyond the lease | test_workers.TestLease.test_a_long_wait_is_not_a_lease |
| work lost on kill | test_boundaries.test_every_boundary |
| killed again while recovering | test_boundaries.test_pairs_of_boundaries |
| killed in the middle of a transaction | test_statements.TestEveryStatement.test_killed |
| a statement that fails | test_statements.TestEveryStatement.test_failed |
| power cut | test_power_cut.test_every_moment |
| a pause beyond the lease, the clock set back | test_processes.test_everything_goes_wrong |
| an old reader that stops the queue | test_files.TestOthers.test_a_reader |
| an old reader that bloats the log | test_files.TestOthers.test_the_log_shrinks_again |
| a deferred transaction that cannot upgrade | test_files.TestOthers.test_a_reader |
| a writer that holds the file | test_files.TestOthers.test_a_writer |
| a slow fetch behind a blocked key | test_workers.TestBacklog.test_other_lanes_are_not_behind_it |
| an account that is down, with a backlog | test_workers.TestBacklog.test_an_account_that_is_down |
| a hot lane | test_workers.TestBacklog.test_a_hot_lane |
| redelivery during delivery | test_workers.TestTogether.test_redelivery |
| a plan made anew during a call | test_workers.TestTogether.test_replan |
| forget during a call | test_workers.TestTogether.test_forget |
| two accepts for one contact | test_workers.TestTogether.test_accepted_by_two_processes |
| accept against the last record | test_workers.TestTogether.test_accept_and_the_last_record |
| disk full | test_files.TestFullDisk.test_outcome |
| failed commit | test_files.TestFailedCommit.test_of_an_outcome |
| a pinned reader during forget | test_erase.TestReader.test_the_next_turn |
| killed between forget and erasing | test_erase.test_killed_after_the_forget |
| a newer schema | test_files.TestForeign.test_a_later_release |
| a file of another program | test_files.TestForeign.test_another_program |
| a damaged file | test_files.TestForeign.test_damaged |
| a network file system | test_files.TestPlaces.test_network |
| a missing folder | test_files.TestPlaces.test_missing_folder |
| a read-only folder | test_files.TestPlaces.test_read_only_folder |
| a provider that answers garbage | test_providers.test_garbage |
| a provider that raises | test_providers.test_raises |
| a provider that interrupts | test_providers.TestInterrupted.test_nothing_of_the_pass_is_lost |
| a provider that blocks | test_providers.TestBlocks.test_until_the_lease_ends |
| a cancelled task | test_cancellation.test_every_await |
| a fork with an open file | test_fork.test_the_parent_closes |
| retention against redelivery | test_workers.TestRetention.test_redelivered |
| one process starves the other | test_processes.test_nothing_goes_wrong |

A restart of a database server is for a journal that has one.
"""

from importlib import import_module

import pytest

ROWS = [line.split("|")[1:3] for line in (__doc__ or "").splitlines() if line.startswith("| ")][2:]
PAINS = {pain.strip(): test.strip() for pain, test in ROWS}


def test_each_once():
    """The table has each pain once."""
    assert len(ROWS) == len(PAINS)


@pytest.mark.parametrize("pain", PAINS)
def test_each_has_a_test(pain):
    """The test that the table names exists."""
    module, *path = PAINS[pain].split(".")
    found = import_module(f"tests.crash.{module}")
    for name in path:
        found = getattr(found, name)
    assert callable(found)
