/// Values of one name, as Prometheus reads them.
public struct MetricFamily: Sendable {
    /// What the values mean.
    public enum Kind: String, Sendable {
        /// Only grows, until the process starts anew.
        case counter
        /// What is now.
        case gauge
        /// Counts by upper bound, with their sum.
        case histogram
    }
    /// One value.
    public struct Sample: Sendable {
        /// Added to the family's name: `_bucket`, `_sum` or `_count` of a histogram.
        public var suffix: String
        /// Names and values, in order.
        public var labels: [(name: String, value: String)]
        /// The value.
        public var value: Double
    }

    /// Begins with `varve_`, or `process_`, and ends in the unit, and a counter in `_total`.
    public var name: String
    /// What it is, for people.
    public var help: String
    /// What the values mean.
    public var kind: Kind
    /// The values.
    public var samples: [Sample] = []

    /// A family without values.
    public init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        self.kind = kind
        self.help = help
    }

    /// A family with one value.
    public init(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        self.init(name, kind, help)
        add(value)
    }

    /// Adds a value.
    public mutating func add(_ value: Double, _ labels: (name: String, value: String)..., suffix: String = "") {
        samples.append(Sample(suffix: suffix, labels: labels, value: value))
    }

    /// Adds a histogram's values. `buckets`: how many lie within each bound and above the one before; last, the others.
    public mutating func add(
        bounds: [Double], buckets: [Int], sum: Double, _ labels: [(name: String, value: String)]
    ) {
        precondition(kind == .histogram && buckets.count == bounds.count + 1)
        var count = 0
        for (index, inside) in buckets.enumerated() {
            count += inside
            let bound = index < bounds.count ? Self.text(bounds[index]) : "+Inf"
            samples.append(
                Sample(suffix: "_bucket", labels: labels + [(name: "le", value: bound)], value: Double(count)))
        }
        samples.append(Sample(suffix: "_sum", labels: labels, value: sum))
        samples.append(Sample(suffix: "_count", labels: labels, value: Double(count)))
    }

    /// Whole numbers without a point: counts of bytes are easier to read so.
    static func text(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 9e15 { return String(Int(value)) }
        return String(value)
    }
}

extension [MetricFamily] {
    /// The text format of Prometheus, version 0.0.4. Families without values are left out.
    public var prometheusText: String {
        var text = ""
        for family in self where !family.samples.isEmpty {
            text += "# HELP \(family.name) \(Self.escaped(family.help, quotes: false))\n"
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in family.samples {
                text += family.name + sample.suffix
                if !sample.labels.isEmpty {
                    let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }
                    text += "{" + labels.joined(separator: ",") + "}"
                }
                text += " " + MetricFamily.text(sample.value) + "\n"
            }
        }
        return text
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
