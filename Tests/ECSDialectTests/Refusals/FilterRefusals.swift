import TestSupport

/// Snapshots that are asked for wrongly.
enum FilterRefusals {
    static let table = RefusalTable(
        "filters of snapshots", in: { Scene(try await ECSDoor()) },
        [
            filter(
                "no such status", ["Status": "done"], 404, "InvalidStatus.NotFound",
                "The specified Status is not found."),
            filter(
                "no such type", ["SnapshotType": "x"], 404, "InvalidSnapshotType.NotFound",
                "The specfied SnapshotType is not found."),
            filter("no such use", ["Usage": "x"], 404, "InvalidUsage", "The specifed Usage is not valid."),
            filter(
                "no such type of disk", ["SourceDiskType": "x"], 404, "InvalidSourceDiskType",
                "The specifed SourceDiskType is not valid."),
            filter(
                "no such chain", ["SnapshotLinkId": "sl-x"], 404, "InvalidSnapshotLinkId.NotFound",
                "The specified snapshot link is not found."),
            filter("no such category", ["Category": "x"], 400, "InvalidParameter", Words.parameter("Category")),
            filter(
                "ids that are no list", ["SnapshotIds": "x"], 400, "InvalidParameter", Words.parameter("SnapshotIds")),
            filter(
                "101 ids", ["SnapshotIds": Words.ids(101)], 403, "InvalidSnapshotIds.Malformed",
                "The amount of specified specified snapshot Ids exceeds the limit."),
            filter(
                "no time", ["Filter.1.Key": "CreationStartTime", "Filter.1.Value": "noon"], 404, "InvalidFilterValue",
                "The specified FilterValue exceeds the limit."),
            filter(
                "no such filter", ["Filter.1.Key": "Colour", "Filter.1.Value": "2027-01-01T00:00Z"], 404,
                "InvalidFilterKey.NotFound", "The specified FilterKey is not found."),
            filter(
                "a value without a tag", ["Tag.1.Value": "v"], 400, "InvalidTag.Mismatch",
                "The specified Tag.n.Key and Tag.n.Value are not match."),
            filter(
                "21 tags", Words.list("Tag.N.Key", 21), 400, "InvalidTagCount",
                "The specified tags are beyond the permitted range."),
        ])

    private static func filter(
        _ situation: String, _ parameters: [String: String], _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        Refusal(situation, "DescribeSnapshots", parameters, status, code, message)
    }
}
