using Sora.Frames;
using Sora.Training.SpriteWorld;

namespace Sora.Training;

/// <summary>
/// Scores videos of the drawn world by the world's own analysis of their pixels: a model's for prompts whose combinations
/// were never trained on, or any with captions.
/// </summary>
public sealed class WorldEvaluation
{
    // Its templates take seconds: prompts and videos that cannot be judged are refused before.
    private readonly Lazy<WorldAnalysis> _analysis;
    private readonly SortedDictionary<string, PartialScore> _ofSubjects = new(StringComparer.Ordinal), _ofScenes = new(StringComparer.Ordinal), _ofMotions = new(StringComparer.Ordinal),
        _ofTimes = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<TimeOfDay> _times;
    private int _count, _subjects, _scenes, _motions, _all;

    /// <summary>An evaluation that has seen nothing.</summary>
    /// <param name="world">What the videos may show.</param>
    public WorldEvaluation(World world)
    {
        ArgumentNullException.ThrowIfNull(world);
        _analysis = new(() => new(world));
        _times = [.. world.Config.TimesOfDay];
    }

    /// <summary>The shares so far; 0 before the first video.</summary>
    public EvaluationScores Scores
    {
        get
        {
            double all = Math.Max(_count, 1);
            return new(_subjects / all, _scenes / all, _motions / all, _all / all, _count)
            {
                Subjects = new Dictionary<string, PartialScore>(_ofSubjects),
                Scenes = new Dictionary<string, PartialScore>(_ofScenes),
                Motions = new Dictionary<string, PartialScore>(_ofMotions),
                TimesOfDay = new Dictionary<string, PartialScore>(_ofTimes),
            };
        }
    }

    /// <summary>Generates a video for every prompt and judges it.</summary>
    /// <param name="generator">The model.</param>
    /// <param name="prompts">Prompts with what they mean.</param>
    /// <param name="seed">The first prompt's seed; the next has the next.</param>
    /// <param name="each">Told every prompt with its video and its score.</param>
    /// <param name="settings">How every video is made, but for its prompt and seed; null: by the model's own default settings.</param>
    /// <param name="cancellationToken">Honoured within a step.</param>
    public async Task RunAsync(
        VideoGenerator generator, IEnumerable<(string Prompt, CaptionMeaning Meaning)> prompts, ulong seed, Action<string, GeneratedVideo, ClipScore>? each = null,
        VideoRequest? settings = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(generator);
        ArgumentNullException.ThrowIfNull(prompts);
        foreach ((string prompt, CaptionMeaning meaning) in prompts)
        {
            VideoRequest request = (settings ?? new(prompt)) with { Prompt = prompt, Seed = (long)(seed++ & long.MaxValue) };
            using GeneratedVideo video = await generator.GenerateAsync(request, null, cancellationToken).ConfigureAwait(false);
            ClipScore score = Judge(video.Frames, meaning);
            each?.Invoke(prompt, video, score);
        }
    }

    /// <summary>Judges one video.</summary>
    /// <param name="frames">Its frames, all of one size.</param>
    /// <param name="meaning">What it should show; what is null counts as right.</param>
    /// <exception cref="ArgumentException">There are no frames.</exception>
    public ClipScore Judge(IReadOnlyList<VideoFrame> frames, CaptionMeaning meaning)
    {
        ArgumentNullException.ThrowIfNull(frames);
        if (frames.Count == 0)
            throw new ArgumentException("There are no frames.", nameof(frames));
        byte[] rgb = [.. frames.SelectMany(f => f.Rgb.ToArray())];
        ClipScore score = _analysis.Value.Score(rgb, frames[0].Width, frames[0].Height, meaning);
        _count++;
        _subjects += score.Subject ? 1 : 0;
        _scenes += score.Scene ? 1 : 0;
        _motions += score.Motion ? 1 : 0;
        _all += score.Subject && score.Scene && score.Motion ? 1 : 0;
        Count(_ofSubjects, meaning.Subject?.Name, score.Subject);
        Count(_ofScenes, meaning.Scene?.Name, score.Scene);
        Count(_ofMotions, meaning.Motion is { } motion ? MotionNames.Of(motion) : null, score.Motion);
        Count(_ofTimes, meaning.TimeOfDay is not TimeOfDay.Day and var time && _times.Contains(time) ? $"{time}".ToLowerInvariant() : null, score.TimeOfDay);
        return score;

        static void Count(SortedDictionary<string, PartialScore> scores, string? name, bool found)
        {
            if (name is not null)
                scores[name] = (scores.GetValueOrDefault(name) ?? new(0, 0)).With(found);
        }
    }

    /// <summary>What a caption asks for.</summary>
    /// <param name="world">The world whose words are known.</param>
    /// <param name="caption">The caption.</param>
    /// <exception cref="SoraException">It names no subject, or one that is not of the world, so that there is nothing to judge by.</exception>
    public static CaptionMeaning MeaningOf(World world, string caption)
    {
        ArgumentNullException.ThrowIfNull(world);
        CaptionMeaning meaning = CaptionParser.Parse(caption);
        if (meaning.Subject is not { } subject || !world.Config.Subjects.Contains(subject) || (meaning.Companion is { } other && !world.Config.Subjects.Contains(other.Subject)))
            throw new SoraException($"The caption '{caption}' names a subject that is not of this world, or none; known: {string.Join(", ", world.Config.Subjects.Select(s => s.Name))}.");
        return meaning;
    }
}
