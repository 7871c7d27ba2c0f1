"""Sums up a JUnit file of ctest or pytest: prints "PASSED FAILED SKIPPED", and on stderr each failure with the end of
what it left."""
import sys
import xml.etree.ElementTree as ElementTree

LINES = 40


def failure_of(case):
    """The words of a failed case, or None. ctest puts them beside the failure, pytest into it."""
    found = [element for element in case if element.tag in ("failure", "error")]
    if not found:
        return None
    return "\n".join(filter(None, [*(element.text for element in found), case.findtext("system-out")]))


def main(path):
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).iter("testcase"):
        words = failure_of(case)
        if words is not None:
            failed += 1
            tail = "\n".join(f"    {line}" for line in words.rstrip().splitlines()[-LINES:])
            print(f"FAILED: {case.get('classname')} {case.get('name')}\n{tail}", file=sys.stderr)
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    print(passed, failed, skipped)


if __name__ == "__main__":
    main(sys.argv[1])
