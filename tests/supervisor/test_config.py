from msgspec import structs

from bellboard.supervisor.aggregator.diagnosis import Thresholds
from bellboard.supervisor.aggregator.tracked import Rules
from bellboard.supervisor.config import Config, HealthRules, Limits
from bellboard.supervisor.crew.memory import Memory
from bellboard.supervisor.crew.restart import Policy
from bellboard.supervisor.crew.vigil import Patience
from bellboard.supervisor.units import Size

DEFAULT = Config(state_dir=None, runtime_dir="/run/bb")


def test_the_health_rules_are_the_thresholds_of_the_board() -> None:
    config = structs.replace(DEFAULT, health=HealthRules(degraded=3, failed=7))
    assert config.thresholds == Thresholds(degraded=3, failed=7)


def test_the_settings_are_handed_on_in_the_words_of_those_who_use_them() -> None:
    assert DEFAULT.rules == Rules(stale_after=3600.0, retention=86400.0)
    assert DEFAULT.policy == Policy()
    assert DEFAULT.patience == Patience()
    assert DEFAULT.memory == Memory(soft=256 << 20, hard=512 << 20)
    unbound = structs.replace(DEFAULT, limits=Limits(memory_soft=Size(0), memory_hard=Size(0)))
    assert unbound.memory == Memory()
