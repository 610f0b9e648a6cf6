internal import Blocks

/// What this cloud keeps of a volume or an instance for its answers alone: how it would be paid for, and in which project it is. Nothing is
/// billed here, and no volume ends.
struct Terms: Sendable, Equatable {
    static let daily = "Daily", monthly = "Monthly", hourly = "HourlyInstantSettlement"
    static let types = [daily, monthly, hourly]
    /// Months of all purchases together.
    static let monthsMax = 1200

    private static let typeKey = "kingsoft.ChargeType", monthsKey = "kingsoft.PurchaseTime"
    private static let projectKey = "kingsoft.ProjectId"

    var type = daily
    /// Of what is paid by month: for how many it was bought.
    var months: Int?
    var project = 0

    /// What a request asks for.
    init(_ parameters: KingsoftParameters) throws(KingsoftFailure) {
        type = try parameters.word("ChargeType", of: Self.types) ?? Self.daily
        let asked = try parameters.number("PurchaseTime", in: 1...36)
        if type == Self.monthly {
            guard let asked else { throw .required("PurchaseTime") }
            months = asked
        }
        project = try Self.project(parameters) ?? 0
    }

    static func project(_ parameters: KingsoftParameters) throws(KingsoftFailure) -> Int? {
        try parameters.number("ProjectId", in: 0...Int(Int32.max))
    }

    /// What is kept.
    init(_ keepsakes: [String: String]?) {
        type = keepsakes?[Self.typeKey] ?? Self.daily
        months = keepsakes?[Self.monthsKey].flatMap { Int($0) }
        project = keepsakes?[Self.projectKey].flatMap { Int($0) } ?? 0
    }

    /// Keeps it among what others keep.
    func write(to keepsakes: inout [String: String]) {
        keepsakes[Self.typeKey] = type == Self.daily ? nil : type
        keepsakes[Self.monthsKey] = months.map(String.init)
        keepsakes[Self.projectKey] = project == 0 ? nil : String(project)
    }

    /// The same day of a later month, or the last one of that; nil: it is not paid by month.
    func expiry(of created: WallTime) -> String? {
        guard type == Self.monthly, let months else { return nil }
        let text = KingsoftTime.text(created), parts = text.prefix(10).split(separator: "-").compactMap { Int64($0) }
        guard parts.count == 3 else { return nil }
        let month = parts[1] - 1 + Int64(months), year = parts[0] + month / 12
        var day = parts[2]
        while CalendarDay(year: year, month: month % 12 + 1, day: day).date.month != month % 12 + 1 { day -= 1 }
        let end = WallTime(beginning: CalendarDay(year: year, month: month % 12 + 1, day: day))
        return String(end.description.prefix(10)) + text.dropFirst(10)
    }
}

extension WallTime {
    fileprivate init(beginning day: CalendarDay) { self.init(milliseconds: day.number * 86_400_000) }
}
