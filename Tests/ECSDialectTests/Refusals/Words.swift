/// Messages that several actions say, as the cloud's documents have them, with their typing errors.
enum Words {
    static let noDisk = "The specified disk does not exist."
    static let noDiskID = "The specified DiskId does not exist."
    static let noSnapshot = "The specified SnapshotId does not exist."
    static let noInstance = "The specified InstanceId does not exist."
    static let notReady = "The specified snapshot has not completed yet."
    static let diskStatus = "The current disk status does not support this operation."
    static let instanceStatus = "The current status of the resource does not support this operation."
    static let creating = "The operation is denied due to a snapshot of the specified disk is not completed yet."
    static let category = "The operation is not supported to the specified disk due to its disk category."
    static let snapshotName = "The specified SnapshotName is wrongly formed."
    static let diskName = "The specified disk name is wrongly formed."
    static let description = "The specified description is wrongly formed."
    static let days = "The specified RetentionDays is not valid."
    static let noAttribute = "No attribute to be modified in this request."
    static let tagKey = "The specified Tag.n.Key is not valid."
    static let tagValue = "The specified Tag.n.Value is not valid."
    static let tagTwice = "The Tag.N.Key contain duplicate key."
    static let tooManyTags = "The quota of tags on resource is beyond permitted range."
    static let size = "The specified parameter Size is not valid."
    static let zone = "The specified zone does not exist."
    static let token = "The specified clientToken is used."
    static let full = "The amount of the disk on instance in question reach its limits."

    static func missing(_ name: String) -> String {
        "The input parameter \"\(name)\" that is mandatory for processing this request is not supplied."
    }
    static func parameter(_ name: String) -> String { "The specified parameter \(name) is not valid." }

    /// `Name.1`, `Name.2`, ... with the same value.
    static func list(_ name: String, _ count: Int, _ value: (Int) -> String = { "\($0)" }) -> [String: String] {
        Dictionary(uniqueKeysWithValues: (1...count).map { (name.replacing("N", with: "\($0)"), value($0)) })
    }

    /// A JSON array of so many ids.
    static func ids(_ count: Int) -> String { "[\(Array(repeating: "\"x\"", count: count).joined(separator: ","))]" }
}
