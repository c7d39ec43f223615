"""The pictures: what is done in the console for each, and the file."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from staging import Stage

WIDE, PHONE = 1280, 390
# An emulator that shares its machine is in no hurry.
PATIENCE_SECONDS = 60
# Text on plain ground needs no more, and the file is a third of the size.
COLOURS = 96
CHANGED = '"channel": {{ order.shop }},\n  "currency"'


class Browser:
    def __init__(self, stage: Stage, programs: tuple[str, str], out: Path) -> None:
        options = Options()
        options.binary_location, driver = programs
        for argument in ("--headless=new", "--hide-scrollbars", "--no-proxy-server", "--lang=en"):
            options.add_argument(argument)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        self.driver = webdriver.Chrome(options=options, service=Service(driver))
        self.driver.set_page_load_timeout(PATIENCE_SECONDS)
        self.console, self.out = stage.console, out

    def look(self, width: int, height: int, scheme: str = "light") -> None:
        """A window of this size, in this scheme."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width == PHONE}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)

    def go(self, path: str) -> None:
        self.driver.get(self.console + path)

    def fill(self, name: str, text: str) -> None:
        field = self.driver.find_element(By.NAME, name)
        field.clear()
        field.send_keys(text)

    def press(self, selector: str) -> None:
        """Presses what leads to another page."""
        button = self.driver.find_element(By.CSS_SELECTOR, selector)
        self.driver.execute_script("arguments[0].click()", button)
        WebDriverWait(self.driver, PATIENCE_SECONDS).until(lambda _: is_gone(button))

    def wait_for(self, text: str) -> None:
        body = "return document.body.innerText"
        WebDriverWait(self.driver, PATIENCE_SECONDS).until(lambda driver: text in driver.execute_script(body))

    def take(self, name: str) -> None:
        # What came last is drawn.
        time.sleep(0.5)
        picture = Image.open(io.BytesIO(self.driver.get_screenshot_as_png())).convert("RGB")
        path = self.out / f"{name}.png"
        picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
        print(f"  {path.name:20} {picture.width} × {picture.height}, {path.stat().st_size / 1000:.0f} KB", flush=True)


def is_gone(element: webdriver.remote.webelement.WebElement) -> bool:
    try:
        element.is_enabled()
    except Exception:  # noqa: BLE001 (each version has another word for it)
        return True
    return False


def take(stage: Stage, programs: tuple[str, str], out: Path) -> None:
    print("\nPictures", flush=True)
    browser = Browser(stage, programs, out)
    try:
        sign_in(browser, stage)
        of_trouble(browser, stage)
        of_a_template(browser, stage)
        of_the_rest(browser)
    finally:
        browser.driver.quit()


def sign_in(browser: Browser, stage: Stage) -> None:
    browser.look(WIDE, 900)
    browser.go("")
    browser.fill("name", stage.user)
    browser.fill("password", stage.password)
    browser.press("button.main")
    browser.wait_for("Sign out")


def of_trouble(browser: Browser, stage: Stage) -> None:
    """Errors as a list, some of them selected; what a reset of those would do; one of them."""
    browser.go("/exports?status=error")
    browser.driver.execute_script("for (const box of [...document.querySelectorAll('[name=key]')].slice(0, 4)) box.click()")
    browser.take("exports")
    browser.look(WIDE, 540)
    browser.press("button[name=action][value=reset]")
    browser.take("many")
    browser.look(WIDE, 1480)
    browser.go(f"/search?q={stage.order.replace('/', '%2F')}")
    browser.wait_for("answered")
    browser.take("order")


def of_a_template(browser: Browser, stage: Stage) -> None:
    """A template with a change that is not saved: what it makes of the order, and what is different."""
    browser.look(WIDE, 1420)
    browser.go(f"/template?name=erp-order.json.j2&sample={stage.order.replace('/', '%2F')}")
    script = """const text = document.getElementById("text");
        text.value = text.value.replace('"currency"', arguments[0]);
        text.dispatchEvent(new Event("input"));"""
    browser.driver.execute_script(script, CHANGED)
    browser.wait_for('"channel": "demo')
    browser.take("template")


def of_the_rest(browser: Browser) -> None:
    """A pause, and then the overview that says so; both on a phone, in the dark."""
    browser.look(WIDE, 820)
    browser.go("/configuration")
    row = "tr:has(input[name=pipeline][value=mirror])"
    browser.driver.find_element(By.CSS_SELECTOR, f"{row} input[name=reason]").send_keys("moves house until Monday")
    browser.press(f"{row} button")
    browser.wait_for("mirror is paused")
    browser.take("configuration")
    browser.look(WIDE, 1150)
    browser.go("")
    browser.take("overview")
    browser.look(PHONE, 844, "dark")
    browser.go("/exports?status=error")
    browser.driver.execute_script("document.querySelector('.wide').scrollIntoView()")
    browser.driver.execute_script("document.querySelector('[name=key]').click()")
    browser.take("phone")
