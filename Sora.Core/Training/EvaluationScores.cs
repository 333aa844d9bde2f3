using System.Text.Json.Serialization;

namespace Sora.Training;

/// <summary>The share of videos, 0 to 1, in which the analysis finds what the prompt asks for.</summary>
/// <param name="Subject">The subject.</param>
/// <param name="Scene">The scene.</param>
/// <param name="Motion">The motion.</param>
/// <param name="All">All three.</param>
/// <param name="Count">The number of videos.</param>
public sealed record EvaluationScores(
    [property: JsonPropertyName("subject")] double Subject,
    [property: JsonPropertyName("scene")] double Scene,
    [property: JsonPropertyName("motion")] double Motion,
    [property: JsonPropertyName("all")] double All,
    [property: JsonPropertyName("count")] int Count)
{
    /// <summary>In how many of the videos that should show each subject it was found, by its name.</summary>
    [JsonPropertyName("subjects")]
    public IReadOnlyDictionary<string, PartialScore> Subjects { get; init; } = new Dictionary<string, PartialScore>();

    /// <summary>The same of the scenes.</summary>
    [JsonPropertyName("scenes")]
    public IReadOnlyDictionary<string, PartialScore> Scenes { get; init; } = new Dictionary<string, PartialScore>();

    /// <summary>The same of the motions.</summary>
    [JsonPropertyName("motions")]
    public IReadOnlyDictionary<string, PartialScore> Motions { get; init; } = new Dictionary<string, PartialScore>();

    /// <summary>The same of <c>sunset</c> and <c>night</c>, of prompts that name them, in a world that has them. No part of <see cref="All"/>.</summary>
    [JsonPropertyName("times_of_day")]
    public IReadOnlyDictionary<string, PartialScore> TimesOfDay { get; init; } = new Dictionary<string, PartialScore>();
}
