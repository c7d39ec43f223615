"""What of a template anybody could reach: nothing but the routes that shops and back offices post to, and the console's.

`make lint` runs it on template.yaml and every nested template. Whatever it does not know it refuses: a new way in has to be
named here first.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

CONSOLE = {"ANY /console", "ANY /console/{proxy+}", "ANY /api/v1/{proxy+}"}
ROUTES = {"ANY /webhooks/{shop}", "ANY /responses/{pipeline}", *CONSOLE}
# The services that may invoke a function, and what has to say for whom they do.
INVOKERS = {"apigateway.amazonaws.com": "SourceArn", "s3.amazonaws.com": "SourceAccount"}
# Kinds of resources that are reached from outside, or that let others in.
OPEN_KINDS = (
    "AWS::ApiGateway",
    "AWS::Lambda::Url",
    "AWS::Lambda::Permission",
    "AWS::Serverless::Api",
    "AWS::Serverless::HttpApi",
    "AWS::CloudFront::",
    "AWS::ElasticLoadBalancingV2::",
    "AWS::EC2::",
)
# Of these, what is meant; CHECKS looks into routes and permissions.
KNOWN_KINDS = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::Lambda::Permission",
}
BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
# From other events, SAM makes endpoints and permissions that stand in no resource.
SCHEDULES = {"Schedule", "ScheduleV2"}

Properties = Mapping[str, Any]


def problems(template: Mapping[str, Any]) -> Iterator[str]:
    """Each way in that is not meant, by the name of its resource."""
    for name, resource in template["Resources"].items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        if kind.startswith(OPEN_KINDS) and kind not in KNOWN_KINDS:
            yield f"{name}: a resource of the kind {kind}"
        if kind in CHECKS:
            yield from (f"{name}: {problem}" for problem in CHECKS[kind](properties))
        yield from (f"{name}: {problem}" for problem in principals(properties))


def route(properties: Properties) -> Iterator[str]:
    if properties["RouteKey"] not in ROUTES:
        yield f"the route {properties['RouteKey']} is not one of {', '.join(sorted(ROUTES))}"


def permission(properties: Properties) -> Iterator[str]:
    principal = properties["Principal"]
    if principal not in INVOKERS:
        yield f"{principal} may invoke a function"
    elif not properties.get(INVOKERS[principal]):
        yield f"{principal} may invoke a function for anybody: {INVOKERS[principal]} is missing"


def function(properties: Properties) -> Iterator[str]:
    if "FunctionUrlConfig" in properties:
        yield "a function has a URL"
    for name, event in properties.get("Events", {}).items():
        if event["Type"] not in SCHEDULES:
            yield f"the event {name} is of the type {event['Type']}"


def bucket(properties: Properties) -> Iterator[str]:
    blocked = properties.get("PublicAccessBlockConfiguration", {})
    for block in BLOCKS:
        if blocked.get(block) is not True:
            yield f"{block} is not true"
    if properties.get("OwnershipControls") != {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}:
        yield "access control lists are not off"
    for setting in ("AccessControl", "WebsiteConfiguration", "CorsConfiguration"):
        if setting in properties:
            yield f"it has {setting}"


def nested(properties: Properties) -> Iterator[str]:
    url = properties["TemplateURL"]
    if not (isinstance(url, str) and Path(url).match("infra/*.yaml")):
        yield f"the nested template {url} is not one of infra/*.yaml, which are looked into"


def principals(node: Any) -> Iterator[str]:
    """Policies that allow something to everybody, wherever they stand."""
    if isinstance(node, list):
        for item in node:
            yield from principals(item)
    elif isinstance(node, dict):
        if node.get("Effect") == "Allow" and is_everybody(node.get("Principal")):
            yield f"a policy allows {node.get('Action')} to everybody"
        if node.get("Effect") == "Allow" and ("NotPrincipal" in node or "NotAction" in node):
            yield "a policy allows all but what it names"
        for item in node.values():
            yield from principals(item)


def is_everybody(principal: Any) -> bool:
    if isinstance(principal, dict):
        return any(is_everybody(item) for item in principal.values())
    return "*" in principal if isinstance(principal, list) else principal == "*"


CHECKS = {
    "AWS::ApiGatewayV2::Route": route,
    "AWS::Lambda::Permission": permission,
    "AWS::Serverless::Function": function,
    "AWS::S3::Bucket": bucket,
    "AWS::CloudFormation::Stack": nested,
}


def main() -> None:
    found = [
        f"{file}: {problem}" for file in sys.argv[1:] for problem in problems(yaml_parse(Path(file).read_text()))
    ]
    if found:
        sys.exit("\n".join(["error: there are ways in that infra/policy/exposure.py does not know:", *found]))
    print(f"{len(sys.argv) - 1} templates, open to shops, back offices and the console's users only: {', '.join(sorted(ROUTES))}")


if __name__ == "__main__":
    main()
