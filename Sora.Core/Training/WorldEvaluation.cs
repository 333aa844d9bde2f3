using System.Text.Json.Serialization;
using Sora.Frames;
using Sora.Training.SpriteWorld;

namespace Sora.Training;

/// <summary>
/// Scores a model on the drawn world: videos for prompts whose combinations were never trained on, judged by the world's
/// own analysis of the pixels.
/// </summary>
public static class WorldEvaluation
{
    /// <summary>Generates and judges videos.</summary>
    /// <param name="generator">The model, at its own default settings.</param>
    /// <param name="world">The world that it was trained on.</param>
    /// <param name="count">How many prompts.</param>
    /// <param name="seed">Chooses the prompts and the noise.</param>
    /// <param name="each">Told every prompt with its video and its score.</param>
    /// <param name="cancellationToken">Honoured within a step.</param>
    public static async Task<EvaluationScores> RunAsync(VideoGenerator generator, World world, int count, ulong seed, Action<string, GeneratedVideo, ClipScore>? each = null, CancellationToken cancellationToken = default)
    {
        var analysis = new WorldAnalysis(world);
        int subject = 0, scene = 0, motion = 0, all = 0, done = 0;
        foreach ((string prompt, ClipDescription clip) in world.EvaluationPrompts(count, seed))
        {
            var request = new VideoRequest(prompt) { Seed = (long)(seed + (ulong)done) };
            using GeneratedVideo video = await generator.GenerateAsync(request, null, cancellationToken).ConfigureAwait(false);
            byte[] rgb = [.. video.Frames.SelectMany(f => f.Rgb.ToArray())];
            VideoFrame first = video.Frames[0];
            ClipScore score = analysis.Score(rgb, first.Width, first.Height, CaptionMeaning.Of(clip));
            subject += score.Subject ? 1 : 0;
            scene += score.Scene ? 1 : 0;
            motion += score.Motion ? 1 : 0;
            all += score.Subject && score.Scene && score.Motion ? 1 : 0;
            done++;
            each?.Invoke(prompt, video, score);
        }
        return new((double)subject / count, (double)scene / count, (double)motion / count, (double)all / count, count);
    }
}

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
    [property: JsonPropertyName("count")] int Count);
