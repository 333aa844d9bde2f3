using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Sora.Training.SpriteWorld;

namespace Sora.Prompts;

/// <summary>
/// Rewrites prompts into the captions of the drawn world (<see cref="Captions"/>), by rules and without any service. What the prompt says
/// is kept; subject, motion and scene that it leaves open are chosen by the prompt itself, the same for the same words, among what suits the
/// rest and was seen in training.
/// </summary>
/// <param name="config">The part of the world that the model was trained on.</param>
public sealed class WorldPromptEnhancer(SpriteWorldConfig config) : IPromptEnhancer
{
    private static readonly float[] Speeds = [0.2f, 0.25f, 0.3f]; // slowly, steadily, quickly

    private static readonly Motion[] Straight = [Motion.Left, Motion.Right, Motion.Up, Motion.Down];

    private readonly SpriteWorldConfig _config = config ?? throw new ArgumentNullException(nameof(config));

    /// <summary>The enhancer of a model; null where the model was not trained on the drawn world.</summary>
    /// <param name="limits">The model's.</param>
    /// <exception cref="SoraException">The model names a world that is not known.</exception>
    public static WorldPromptEnhancer? For(ModelLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        return limits.World is { } world ? new(SpriteWorldConfig.Find(world)) : null;
    }

    /// <summary>Rewrites a prompt; at once.</summary>
    /// <param name="prompt">What the person wrote; not empty.</param>
    /// <param name="cancellationToken">Not used.</param>
    public Task<EnhancedPrompt> EnhanceAsync(string prompt, CancellationToken cancellationToken = default) => Task.FromResult(Enhance(prompt));

    /// <summary>Rewrites a prompt.</summary>
    /// <param name="prompt">What the person wrote; not empty.</param>
    /// <returns>The caption, and the words that are not in it.</returns>
    public EnhancedPrompt Enhance(string prompt)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(prompt);
        var words = new WorldWords(prompt);
        CaptionMeaning said = Known(CaptionParser.Parse(words.Text));
        var random = new ClipRandom(SeedOf(prompt));
        ClipDescription clip = Complete(said, words, random);
        string caption = Choose(clip, words, random);
        IReadOnlyList<string> missing = words.Missing(caption);
        // Where nothing was open these are the person's own words.
        bool isComplete = said is { Subject: not null, Motion: not null, Scene: not null } && missing.Count == 0 && CaptionParser.Parse(prompt) == said;
        return isComplete ? new(prompt, []) : new(caption, [.. Notes(said, clip, words, missing)]);
    }

    // What is said, as far as this part of the world has it.
    private CaptionMeaning Known(CaptionMeaning said) => KnownSubject(said) with
    {
        Scene = _config.Scenes.Contains(said.Scene) ? said.Scene : null,
        TimeOfDay = _config.TimesOfDay.Contains(said.TimeOfDay) ? said.TimeOfDay : TimeOfDay.Day,
        Camera = _config.CameraMoves.Contains(said.Camera) ? said.Camera : CameraMove.Still,
        Companion = _config.CompanionShare > 0 && said.Companion is { } other && _config.Subjects.Contains(other.Subject) ? KnownSubject(other) : null,
    };

    private CaptionMeaning KnownSubject(CaptionMeaning said) => said with
    {
        Subject = _config.Subjects.Contains(said.Subject) ? said.Subject : null,
        Motion = said.Motion is { } motion && _config.Motions.Contains(motion) ? motion : null,
        Colour = _config.Colours.Contains(said.Colour) ? said.Colour : SubjectColour.Own,
        Size = _config.Sizes.Contains(said.Size) ? said.Size : SubjectSize.Usual,
        Tilted = _config.TiltedShare > 0 && said.Tilted,
    };

    private ClipDescription Complete(CaptionMeaning said, WorldWords words, ClipRandom random)
    {
        Subject subject = said.Subject ?? random.Pick(Suitable(_config.Subjects, one => Suits(one, said.Scene) && !IsHeldOut(one, said.Motion, said.Scene)));
        Scene scene = said.Scene ?? random.Pick(Suitable(
            Suitable(_config.Scenes, one => Suits(subject, one) && (said.TimeOfDay == TimeOfDay.Day || one.HasSky)), one => !IsHeldOut(subject, null, one)));
        var clip = new ClipDescription
        {
            Subject = subject,
            Scene = scene,
            Motion = said.Motion ?? NaturalMotion(subject),
            Colour = said.Colour,
            Size = said.Size,
            Tilt = said.Tilted ? 180 : 0,
            TimeOfDay = scene.HasSky ? said.TimeOfDay : TimeOfDay.Day,
            Camera = said.Camera,
            Start = (0.5f, 0.5f),
            Extent = 0.45f,
            Speed = random.Pick(Speeds),
        };
        return said.Companion is not { Subject: { } second } other ? clip : clip with
        {
            Companion = clip with { Subject = second, Tilt = 0, Motion = other.Motion ?? NaturalMotion(second), Colour = other.Colour, Size = other.Size },
        };

        Motion NaturalMotion(Subject of) => random.Pick(Suitable(Suitable(_config.Motions, words.Allow(of)), one => !IsHeldOut(of, one, null)));
    }

    // Of the captions that say everything those that keep most of the person's words, and of these one of two sentences.
    private static string Choose(ClipDescription clip, WorldWords words, ClipRandom random)
    {
        var meaning = CaptionMeaning.Of(clip);
        bool isSpeedOpen = Straight.Contains(clip.Motion);
        string[] captions = [.. (isSpeedOpen ? Speeds : [clip.Speed]).SelectMany(speed => Captions.All(clip with { Speed = speed })).Distinct()
            .Where(caption => CaptionParser.Parse(caption) == meaning)];
        int least = captions.Min(caption => words.Missing(caption).Count);
        string[] best = [.. captions.Where(caption => words.Missing(caption).Count == least)];
        return random.Pick(Suitable(best, caption => caption.Contains(". ", StringComparison.Ordinal)));
    }

    private IEnumerable<string> Notes(CaptionMeaning said, ClipDescription clip, WorldWords words, IReadOnlyList<string> missing)
    {
        foreach (string several in words.Several.Except(missing))
            yield return $"\"{several}\" became one {clip.Subject}: a clip of the drawn world shows one of a kind.";
        if (missing.Count > 0)
        {
            string[] subjects = [.. _config.Subjects.Select(subject => subject.Name)];
            IEnumerable<string> names = missing.Select(word =>
                !subjects.Contains(word) && NearestName.Find(word, subjects) is { } near ? $"\"{word}\" (nearest: {near})" : $"\"{word}\"");
            yield return $"The caption leaves out what the drawn world does not know, or cannot show together: {string.Join(", ", names)}.";
        }
        if (said.Subject is null)
            yield return $"The prompt names no subject of the drawn world, and \"{clip.Subject}\" was chosen; it has: {string.Join(", ", _config.Subjects)}.";
    }

    private static bool Suits(Subject subject, Scene? scene) => scene is null || subject.Locomotion.Habitat switch
    {
        Habitat.Water => scene.IsWater,
        Habitat.Air => scene.HasSky || !(scene.HasGround || scene.IsWater),
        _ => scene.HasGround,
    };

    private static bool IsHeldOut(Subject subject, Motion? motion, Scene? scene) =>
        (motion is { } moves && HeldOutPairs.Motions.Contains((subject, moves))) || (scene is not null && HeldOutPairs.Scenes.Contains((subject, scene)));

    // Those that fit; all where none does.
    private static IReadOnlyList<T> Suitable<T>(IReadOnlyList<T> all, Func<T, bool> fits)
    {
        T[] fitting = [.. all.Where(fits)];
        return fitting.Length > 0 ? fitting : all;
    }

    private static ulong SeedOf(string prompt) => BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(prompt)));
}
