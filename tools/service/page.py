"""Uses the service's page as people do, in headless Chromium: chooses photos and a file that is none, with and without a
token; photographs it wide, dark, and as narrow as a phone.

    page.py URL TOKEN FOLDER
"""
import pathlib
import shutil
import sys

from playwright.sync_api import expect, sync_playwright

url, token, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
folder.mkdir(parents=True, exist_ok=True)
images = pathlib.Path("datasets/sample/images")
photos = [str(images / name) for name in ("grass.jpg", "astronaut.jpg")]
none = folder / "none.jpg"
none.write_text("no photo")

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=["--no-sandbox"])
    for name, width, scheme in (("wide", 1360, "light"), ("dark", 1360, "dark"), ("narrow", 390, "light")):
        page = browser.new_page(viewport={"width": width, "height": 1200}, color_scheme=scheme)
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text)
                if message.type == "error" and "Failed to load resource" not in message.text else None)
        page.goto(url)
        page.set_input_files("#files", photos[0])
        expect(page.get_by_role("alert")).to_contain_text("Authorization")
        page.get_by_label("Token").fill(token)
        page.get_by_label("Show where the model looks").check()
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("status")).to_have_text("1 captioned.", timeout=180_000)
        page.set_input_files("#files", [photos[1], str(none)])
        expect(page.get_by_role("status")).to_have_text("2 captioned, 1 failed.", timeout=180_000)
        expect(page.get_by_role("alert")).to_contain_text("found")
        # By keyboard: a word shows where the model looks, and hides it again.
        word = page.locator("button.word").nth(1)
        word.focus()
        page.keyboard.press("Enter")
        assert word.get_attribute("aria-pressed") == "true" and page.locator(".frame svg rect").count() == 49
        page.get_by_role("button", name="Copy as alt text").first.click()
        expect(page.get_by_role("status")).to_contain_text("Copied: ")
        assert all(image.get_attribute("alt") for image in page.locator(".card:has(.words) img").all())
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "too wide"
        assert not errors, errors
        page.screenshot(path=folder / f"{name}.png", full_page=True)
        print(f"{name}: 2 captioned, 1 refused, no errors")
        page.close()
    browser.close()
