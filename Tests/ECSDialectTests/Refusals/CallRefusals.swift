import TestSupport

/// What no action is asked for rightly, whichever it is.
enum CallRefusals {
    static let table = RefusalTable(
        "what every action says",
        in: {
            let door = try await ECSDoor()
            return Scene(door, ["disk": try await door.makeDisk()])
        },
        [
            Refusal(
                "no such action", "NoSuchAction", [:], 404, "InvalidAction.NotFound",
                "Specified api is not found, please check your url and method."),
            Refusal(
                "a region that is none", "DescribeDisks", ["RegionId": "nowhere"], 404, "InvalidRegionId.NotFound",
                "The specified RegionId does not exist."),
            Refusal(
                "a region that is none", "CreateAutoSnapshotPolicy", ["regionId": "nowhere"], 403, "ParameterInvalid",
                "The specified RegionId parameter is invalid."),
            Refusal(
                "a region that is none", "DescribeSnapshotLinks", ["RegionId": "nowhere"], 400, "InvalidRegionId",
                "The specified regionId is invalid."),
            Refusal(
                "a region that is none", "DescribeSnapshotsUsage", ["RegionId": "nowhere"], 403,
                "InvalidParam.RegionId", "The specified region is not exist."),
            Refusal(
                "a reader's key", "DeleteDisk", ["DiskId": "{disk}"], 403, "Forbidden.RAM",
                "User not authorized to operate on the specified resource, or this API doesn't support RAM."
            ).ofReader,
            Refusal("nothing named", "DeleteDisk", [:], 400, "MissingParameter", Words.missing("DiskId")),
            Refusal(
                "neither true nor false", "DescribeDisks", ["Encrypted": "maybe"], 400, "InvalidParameter",
                Words.parameter("Encrypted")),
            Refusal(
                "no number", "ResizeDisk", ["DiskId": "{disk}", "NewSize": "big"], 400, "InvalidParameter",
                Words.parameter("NewSize")),
            Refusal(
                "only tried", "ResizeDisk", ["DiskId": "{disk}", "NewSize": "30", "DryRun": "true"], 400,
                "DryRunOperation", "Request validation has been passed with DryRun flag set."),
            Refusal(
                "page 0", "DescribeDisks", ["PageNumber": "0"], 400, "InvalidParameter", Words.parameter("PageNumber")),
            Refusal(
                "a page too large", "DescribeDisks", ["PageSize": "101"], 400, "InvalidParameter",
                Words.parameter("PageSize")),
            Refusal(
                "a token that nobody gave", "DescribeDisks", ["NextToken": "forged"], 400, "InvalidParameter",
                Words.parameter("NextToken")),
        ])
}
