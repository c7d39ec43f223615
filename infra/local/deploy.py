"""Deploys template.yaml to the emulator: package, stack, secrets, and what the emulator leaves out."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse

import bundle
import emulator

STACK = "ordersync"
ARTIFACTS = "ordersync-artifacts"
DEPLOY_SECONDS = 120
# Where the local stack differs from the template's defaults: there is no TLS, two cores rather than a region, and no
# secret that is not in the configuration's secrets.json.
LOCAL_PARAMETERS = {
    "RequireTls": "false",
    "MaximumConcurrency": "10",
    **dict.fromkeys(("WebhookSecrets", "DestinationSecrets", "ShopApiSecrets", "ResponseSecrets"), "*"),
}

# On AWS these allow the same for a batch of messages; the emulator asks for an action that IAM does not have.
SQS_ACTIONS_OF_BATCHES = ("sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")

Clients = Any  # boto3 makes its clients at run time


class DeployError(Exception):
    """The deployment failed; the message says where."""


def client(service: str, port: int) -> Clients:
    return boto3.client(
        service,
        endpoint_url=emulator.endpoint(port),
        region_name=emulator.REGION,
        aws_access_key_id=emulator.CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=emulator.CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(proxies={}, retries={"mode": "standard"}, s3={"addressing_style": "path"}),
    )


def read_secrets(config: Path) -> dict[str, str]:
    """`secrets.json`: name to value. A value that is not a string is stored as its JSON text."""
    path = config / bundle.SECRETS
    if not path.is_file():
        return {}
    try:
        secrets = json.loads(path.read_text())
    except ValueError as error:
        raise DeployError(f"{path} is not JSON: {error}") from None
    if not isinstance(secrets, dict):
        raise DeployError(f"{path} must hold one JSON object of names and values")
    for name, value in secrets.items():
        if not name or value in ("", None):
            raise DeployError(f"{path}: the secret {name!r} is empty")
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in secrets.items()}


def stage(template: Path, binaries: Path, config: Path, out: Path) -> dict[str, Any]:
    """A folder with what is deployed: the template as it is, and one folder a function. Gives the template parsed."""
    out.mkdir(parents=True, exist_ok=True)
    text = template.read_text()
    (out / template.name).write_text(text)
    parsed = yaml_parse(text)
    for properties in nested(parsed):
        inner = Path(properties["TemplateURL"])
        (out / inner).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(template.parent / inner, out / inner)
    for _, properties in functions_of(parsed):
        folder = Path(properties["CodeUri"])
        bundle.bundle(binaries / folder.name, config, out / folder)
    return parsed


def functions_of(template: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            yield name, resource["Properties"]


def with_batches(node: Any) -> Any:
    """A part of the template, with the emulator's actions beside those of SQS that it has in its policies."""
    if isinstance(node, list):
        return [with_batches(item) for item in node]
    if not isinstance(node, dict):
        return node
    changed = {key: with_batches(value) for key, value in node.items()}
    actions = changed.get("Action", [])
    actions = [actions] if isinstance(actions, str) else actions
    batches = [f"{action}Batch" for action in actions if action in SQS_ACTIONS_OF_BATCHES]
    return {**changed, "Action": [*actions, *batches]} if batches else changed


def nested(template: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The properties of the nested stacks."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::CloudFormation::Stack":
            yield resource["Properties"]


def without_expressions(template: dict[str, Any]) -> dict[str, Any]:
    """A template without the alarms on expressions and queries, which the emulator refuses."""
    kept = {
        name: resource
        for name, resource in template["Resources"].items()
        if not (resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"])
    }
    return {**template, "Resources": kept}


def archive(folder: Path) -> bytes:
    """The same bytes for the same content, so that nothing is deployed again without need."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive_:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            entry.external_attr = (path.stat().st_mode & 0xFFFF) << 16
            archive_.writestr(entry, path.read_bytes())
    return packed.getvalue()


class StartError(DeployError):
    """The functions are deployed and refuse to run. What is wrong is in the message; no log says more."""


def said(payload: str) -> str:
    """The lines that tell why a function did not start: those of its log that are errors, else the whole answer."""
    try:
        text = json.loads(payload).get("errorMessage", payload)
    except ValueError:
        return payload
    problems = []
    for line in text.splitlines():
        try:
            entry = json.loads(line[line.index("{") :])
        except ValueError:
            continue
        if entry.get("level") == "ERROR":
            problems.append(entry.get("message", line))
    return "\n".join(problems) or text


class Deployment:
    def __init__(self, port: int, staged: Path) -> None:
        self.port = port
        self.staged = staged
        self.cloudformation = client("cloudformation", port)
        self.functions = client("lambda", port)
        self.s3 = client("s3", port)
        self.secrets = client("secretsmanager", port)

    def deploy(self, template: dict[str, Any], secrets: Mapping[str, str], parameters: Mapping[str, str]) -> None:
        self._put_secrets(secrets)
        self._apply(self._package(template), {**LOCAL_PARAMETERS, **parameters})
        self._fill_gaps(self._resources())

    def check_start(self) -> None:
        """Has the processor start, so that a wrong configuration is told now and not by the first order."""
        name = self.function_names()["PROCESSOR"]
        answer = self.functions.invoke(FunctionName=name, Payload=json.dumps({"Records": []}))
        payload = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise StartError(f"the functions do not start with this configuration:\n{said(payload)}")

    def environment(self) -> dict[str, str]:
        """What a program needs to use the stack, by the names of stack.env."""
        outputs = {o["OutputKey"]: o["OutputValue"] for o in self._stack()["Outputs"]}
        api = self._resources()["Api"]["PhysicalResourceId"]
        base = emulator.endpoint(self.port)
        return {
            **emulator.CREDENTIALS,
            "AWS_DEFAULT_REGION": emulator.REGION,
            "AWS_ENDPOINT_URL": base,
            # %24 is $: the line means the same to a shell and to a plain reader.
            "API_URL": f"{base}/_aws/execute-api/{api}/%24default",
            **({"CONSOLE_URL": f"{base}/_aws/execute-api/{api}/%24default/console"} if "ConsoleUrl" in outputs else {}),
            "QUEUE_URL": outputs["QueueUrl"],
            "DLQ_URL": outputs["DeadLetterQueueUrl"],
            "TABLE": outputs["Table"],
            "BUCKET": outputs["Bucket"],
            **{f"FN_{name}": function for name, function in self.function_names().items()},
        }

    def function_names(self) -> dict[str, str]:
        """The deployed functions: INTAKE, RESET_ERRORS, … to the name that Lambda has for it."""
        return {
            re.sub(r"(?<!^)(?=[A-Z])", "_", logical.removesuffix("Function")).upper(): resource["PhysicalResourceId"]
            for logical, resource in self._resources().items()
            if resource["ResourceType"] == "AWS::Lambda::Function"
        }

    def restart_functions(self) -> None:
        """Ends the functions' processes, so that the next event starts ones that read the secrets again."""
        for name in self.function_names().values():
            code = self.functions.get_function(FunctionName=name)
            self.functions.update_function_configuration(
                FunctionName=name, Timeout=code["Configuration"]["Timeout"]
            )

    def _package(self, template: dict[str, Any]) -> str:
        self.s3.create_bucket(Bucket=ARTIFACTS)
        for _, properties in functions_of(template):
            content = archive(self.staged / properties["CodeUri"])
            properties["CodeUri"] = f"s3://{ARTIFACTS}/{self._upload(content, 'zip')}"
        for properties in nested(template):
            inner = yaml_parse((self.staged / properties["TemplateURL"]).read_text())
            properties["TemplateURL"] = self._upload_template(without_expressions(inner))
        return self._upload_template(with_batches(template))

    def _upload_template(self, template: dict[str, Any]) -> str:
        return f"{emulator.endpoint(self.port)}/{ARTIFACTS}/{self._upload(json.dumps(template).encode(), 'json')}"

    def _upload(self, content: bytes, suffix: str) -> str:
        key = f"{hashlib.sha256(content).hexdigest()}.{suffix}"
        self.s3.put_object(Bucket=ARTIFACTS, Key=key, Body=content)
        return key

    def _put_secrets(self, secrets: Mapping[str, str]) -> None:
        for name, value in secrets.items():
            try:
                self.secrets.create_secret(Name=name, SecretString=value)
            except self.secrets.exceptions.ResourceExistsException:
                self.secrets.put_secret_value(SecretId=name, SecretString=value)

    def _apply(self, template_url: str, parameters: Mapping[str, str]) -> None:
        request = {
            "StackName": STACK,
            "TemplateURL": template_url,
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        }
        try:
            if self._exists():
                self.cloudformation.update_stack(**request)
            else:
                self.cloudformation.create_stack(**request)
        except ClientError as error:
            message = error.response["Error"]["Message"]
            if "No updates are to be performed" in message:
                return
            raise DeployError(f"the template was refused: {message}") from None
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + DEPLOY_SECONDS
        while (status := self._stack()["StackStatus"]).endswith("_IN_PROGRESS"):
            if time.monotonic() > deadline:
                raise DeployError(f"the stack is still {status} after {DEPLOY_SECONDS} s\n{self._failures()}")
            time.sleep(0.1)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise DeployError(f"the stack ended as {status}\n{self._failures()}")

    def _failures(self) -> str:
        events = self.cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
        return "\n".join(
            f"  {e['LogicalResourceId']} ({e['ResourceType']}) {e['ResourceStatus']}: {e.get('ResourceStatusReason', '')}"
            for e in reversed(events)
            if "FAILED" in e["ResourceStatus"] or "ROLLBACK" in e["ResourceStatus"]
        )

    def _stack(self) -> dict[str, Any]:
        return self.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]

    def _exists(self) -> bool:
        """Whether there is a stack to update. One that failed to be made has to go first."""
        try:
            status = self._stack()["StackStatus"]
        except ClientError:
            return False
        if status not in ("ROLLBACK_COMPLETE", "CREATE_FAILED"):
            return True
        self.cloudformation.delete_stack(StackName=STACK)
        return False

    def _resources(self) -> dict[str, dict[str, Any]]:
        listed = self.cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
        return {resource["LogicalResourceId"]: resource for resource in listed}

    def _fill_gaps(self, resources: Mapping[str, Mapping[str, Any]]) -> None:
        """What the emulator drops of the template, or keeps as text where it later needs a number or a boolean."""
        client("dynamodb", self.port).update_time_to_live(
            TableName=resources["Table"]["PhysicalResourceId"],
            TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"},
        )
        parameters = {p["ParameterKey"]: p["ParameterValue"] for p in self._stack()["Parameters"]}
        concurrency = int(parameters["MaximumConcurrency"])
        self.functions.update_event_source_mapping(
            UUID=resources["ProcessorTrigger"]["PhysicalResourceId"],
            Enabled=parameters["ProcessingEnabled"] == "true",
            ScalingConfig={"MaximumConcurrency": concurrency} if concurrency else {},
        )
