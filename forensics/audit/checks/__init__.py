"""Check the fourteen controls, one file each: is there one, is it wired, could it act, has it acted?"""

from collections.abc import Callable

from forensics.audit.checks import (
    alert_rules,
    auto_remediation,
    circuit_breaker,
    config_validation,
    error_patterns,
    fallback_routing,
    graceful_degradation,
    health_check,
    model_fallback_chain,
    post_deploy_smoke_test,
    prestart_dependency_check,
    restart_count,
    restart_limits,
    self_healing_rebuild,
)
from forensics.audit.inventory import Inventory
from forensics.model.controls import Control

CHECKS: dict[str, Callable[[Inventory], Control]] = {  # in the order of the layers
    "post-deploy-smoke-test": post_deploy_smoke_test.check,
    "prestart-dependency-check": prestart_dependency_check.check,
    "config-validation": config_validation.check,
    "alert-rules": alert_rules.check,
    "restart-count": restart_count.check,
    "error-patterns": error_patterns.check,
    "health-check": health_check.check,
    "restart-limits": restart_limits.check,
    "circuit-breaker": circuit_breaker.check,
    "fallback-routing": fallback_routing.check,
    "auto-remediation": auto_remediation.check,
    "model-fallback-chain": model_fallback_chain.check,
    "graceful-degradation": graceful_degradation.check,
    "self-healing-rebuild": self_healing_rebuild.check,
}

__all__ = ["CHECKS"]
