import Blocks
import ControlPlane
import TestSupport

@testable import ECSDialect

/// Disks that are not changed.
enum DiskChangeRefusals {
    static let table = RefusalTable(
        "changes of disks",
        in: {
            let door = try await ECSDoor()
            let import_ = try await door.house.volumes.beginImport(size: .gibibytes(20), name: nil)
            return Scene(
                door,
                [
                    "disk": try await door.makeDisk(), "cloud": try await door.makeDisk("cloud"),
                    "unready": ECSID.name(import_.id, .disk) ?? "",
                ])
        }, resizes + modifications)

    private static func resize(
        _ situation: String, _ disk: String, _ size: String, _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        Refusal(situation, "ResizeDisk", ["DiskId": disk, "NewSize": size], status, code, message)
    }

    private static let resizes = [
        resize("no such disk", "d-x", "30", 404, "InvalidDiskId.NotFound", Words.noDisk),
        resize("no size", "{disk}", "", 400, "MissingParameter", Words.missing("NewSize")),
        resize(
            "smaller", "{disk}", "19", 403, "InvalidDiskSize.TooSmall",
            "Specified new disk size is less than the original disk size."),
        resize(
            "as it is", "{disk}", "20", 403, "InvalidDiskSize",
            "Specified new disk size is less than or equal the original disk size."),
        resize(
            "more than its category allows", "{cloud}", "2001", 403, "InvalidDiskSize.TooLarge",
            "Specified new disk size is beyond the permitted range."),
        resize("being filled", "{unready}", "30", 403, "IncorrectDiskStatus", Words.diskStatus),
    ]

    private static func modification(
        _ situation: String, _ change: [String: String], _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        Refusal(
            situation, "ModifyDiskAttribute", ["DiskId": "{disk}"].merging(change) { $1 }, status, code, message)
    }

    private static let modifications = [
        modification("nothing to change", [:], 400, "NoAttributeToModify", Words.noAttribute),
        modification("a wrong name", ["DiskName": "a b"], 400, "InvalidDiskName.Malformed", Words.diskName),
        modification(
            "a wrong description", ["Description": "http://x"], 404, "InvalidDescription.Malformed", Words.description),
        modification(
            "no such disk", ["DiskId": "d-x", "DiskName": "new"], 404, "InvalidDiskId.NotFound", Words.noDisk),
        modification(
            "one of several that is not there", ["DiskIds.1": "{disk}", "DiskIds.2": "d-x", "DiskName": "new"], 404,
            "InvalidDiskId.NotFound", Words.noDisk),
        modification(
            "101 disks", Words.list("DiskIds.N", 101) { _ in "d-x" }, 403, "InvalidDiskIds.Malformed",
            "The amount of specified disk Ids exceeds the limit."),
    ]
}
