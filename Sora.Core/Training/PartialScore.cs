using System.Text.Json.Serialization;

namespace Sora.Training;

/// <summary>In how many videos something was found.</summary>
/// <param name="Found">Those in which it was, 0 to <paramref name="Count"/>.</param>
/// <param name="Count">Those that should show it.</param>
public sealed record PartialScore([property: JsonPropertyName("found")] int Found, [property: JsonPropertyName("count")] int Count)
{
    /// <summary>Those that were found as a share, 0 to 1; 0 where nothing was asked for.</summary>
    [JsonIgnore]
    public double Share => (double)Found / Math.Max(Count, 1);

    /// <summary>With one video more.</summary>
    internal PartialScore With(bool found) => new(Found + (found ? 1 : 0), Count + 1);
}
