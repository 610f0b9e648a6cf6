internal import ArgumentParser

/// How fast a volume is to be.
struct SpeedOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Hold it to what this kind allows: gp3, gp2, io2, io1, st1, sc1 or standard. Without one it is as fast as it can.",
            valueName: "kind"))
    var kind: String?
    @Option(help: ArgumentHelp("Operations a second, for gp3, io1 and io2.", valueName: "n")) var iops: Int?
    @Option(help: ArgumentHelp("MiB a second, for gp3.", valueName: "n")) var throughput: Int?

    func validate() throws {
        if kind == nil && (iops != nil || throughput != nil) {
            throw ValidationError("--iops and --throughput need --kind, such as --kind gp3.")
        }
    }

    func fill(_ fields: inout [String: NativeClient.Field]) {
        if let kind { fields["kind"] = .text(kind) }
        if let iops { fields["iops"] = .number(iops) }
        if let throughput { fields["throughput"] = .number(throughput) }
    }
}
