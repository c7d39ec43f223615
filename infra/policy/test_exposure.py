"""The check finds what it is there for: the template with one way in more."""

from __future__ import annotations

import copy
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from exposure import BLOCKS, problems

ROOT = Path(__file__).resolve().parents[2]
Template = dict[str, Any]

EVERYBODY = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:GetObject", "Resource": "*"}


def add(kind: str, **properties: Any) -> Callable[[Template], None]:
    return lambda template: template["Resources"].update({"New": {"Type": kind, "Properties": properties}})


def change(name: str, **properties: Any) -> Callable[[Template], None]:
    return lambda template: template["Resources"][name]["Properties"].update(properties)


def without(name: str, *path: str) -> Callable[[Template], None]:
    def remove(template: Template) -> None:
        node = template["Resources"][name]["Properties"]
        for key in path[:-1]:
            node = node[key]
        del node[path[-1]]

    return remove


WAYS_IN = {
    "a route": add("AWS::ApiGatewayV2::Route", RouteKey="GET /orders"),
    "a route for everything": change("WebhookRoute", RouteKey="$default"),
    "a function URL": change("IntakeFunction", FunctionUrlConfig={"AuthType": "NONE"}),
    "a function URL as a resource": add("AWS::Lambda::Url", AuthType="NONE"),
    "an event of SAM's": change("CleanupFunction", Events={"All": {"Type": "HttpApi"}}),
    "an API of SAM's": add("AWS::Serverless::Api", StageName="v1"),
    "a REST API": add("AWS::ApiGateway::RestApi", Name="orders"),
    "anybody may invoke": change("ApiMayInvokeIntake", Principal="*"),
    "any API may invoke": without("ApiMayInvokeIntake", "SourceArn"),
    "any account's bucket may invoke": without("BucketMayInvokeResponses", "SourceAccount"),
    "a policy for everybody": add("AWS::S3::BucketPolicy", PolicyDocument={"Statement": [EVERYBODY]}),
    "a policy for all but one": add("AWS::SQS::QueuePolicy", PolicyDocument={"Statement": {"Effect": "Allow", "NotPrincipal": "x"}}),
    "a website": change("Bucket", WebsiteConfiguration={}),
    "access control lists": without("Bucket", "OwnershipControls"),
    "a template from elsewhere": add("AWS::CloudFormation::Stack", TemplateURL="https://example.com/other.yaml"),
    "a load balancer": add("AWS::ElasticLoadBalancingV2::LoadBalancer", Scheme="internet-facing"),
} | {f"{block} is off": without("Bucket", "PublicAccessBlockConfiguration", block) for block in BLOCKS}


class Exposure(unittest.TestCase):
    template: Template = yaml_parse((ROOT / "template.yaml").read_text())

    def test_the_templates_are_open_where_they_are_meant_to_be(self) -> None:
        for file in [ROOT / "template.yaml", *ROOT.glob("infra/*.yaml")]:
            with self.subTest(file.name):
                self.assertEqual(list(problems(yaml_parse(file.read_text()))), [])

    def test_each_way_in_is_found(self) -> None:
        for name, opened in WAYS_IN.items():
            with self.subTest(name):
                template = copy.deepcopy(self.template)
                opened(template)
                self.assertEqual(len(list(problems(template))), 1)


if __name__ == "__main__":
    unittest.main()
