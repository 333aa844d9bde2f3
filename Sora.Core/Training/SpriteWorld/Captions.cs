namespace Sora.Training.SpriteWorld;

/// <summary>
/// Says in English what a clip shows, in many ways from three words to two sentences. <see cref="CaptionParser"/> reads
/// them back.
/// </summary>
public static class Captions
{
    private static readonly Verb s_bounces = new("bounces", "bouncing");
    private static readonly Verb s_hops = new("hops up and down", "hopping up and down");
    private static readonly Verb s_circles = new("moves in a circle", "moving in a circle");
    private static readonly Verb s_spins = new("spins", "spinning");
    private static readonly Verb s_grows = new("grows", "growing");
    private static readonly Verb s_getsBigger = new("gets larger", "getting larger");
    private static readonly Verb s_shrinks = new("shrinks", "shrinking");
    private static readonly Verb s_getsSmaller = new("gets smaller", "getting smaller");

    private static readonly float[] s_speeds = [0.2f, 0.25f, 0.3f]; // slowly, steadily, quickly

    /// <summary>Every caption of the clip, the shortest first.</summary>
    public static IReadOnlyList<string> All(ClipDescription clip)
    {
        var captions = new List<string>();
        if (clip.Companion is { } other)
        {
            IEnumerable<(Verb Verb, Verb Other)> verbs = Verbs(clip).SelectMany(verb => Verbs(other).Select(second => (verb, second)));
            captions.AddRange(verbs.SelectMany(pair => ShortOfTwo(clip, pair.Verb, other, pair.Other)));
            captions.AddRange(Places(clip).SelectMany(place => verbs.SelectMany(pair => FullOfTwo(clip, pair.Verb, other, pair.Other, place))));
            return captions.Distinct().ToList();
        }
        foreach (Verb verb in Verbs(clip))
            captions.AddRange(Short(clip, verb));
        foreach (string scene in Places(clip))
        {
            foreach (Verb verb in Verbs(clip))
                captions.AddRange(Full(clip, verb, scene));
        }

        return captions.Distinct().ToList();
    }

    /// <summary>One caption: a full sentence in four cases of five, else a short one without the scene.</summary>
    /// <param name="clip">What to describe.</param>
    /// <param name="seed">Chooses the words.</param>
    public static string One(ClipDescription clip, ulong seed)
    {
        var random = new ClipRandom(seed);
        Verb verb = random.Pick(Verbs(clip));
        if (clip.Companion is { } other)
        {
            Verb second = random.Pick(Verbs(other));
            return random.Pick([.. random.Chance(0.8f)
                ? FullOfTwo(clip, verb, other, second, random.Pick(Places(clip)))
                : ShortOfTwo(clip, verb, other, second)]);
        }
        string[] captions = [.. random.Chance(0.8f) ? Full(clip, verb, random.Pick(Places(clip))) : Short(clip, verb)];
        return random.Pick(captions);
    }

    /// <summary>The plainest caption that names everything: "a red fish swims left in the deep sea".</summary>
    public static string FullSentence(ClipDescription clip) => clip.Companion is { } other
        ? FullOfTwo(clip, Verbs(clip)[0], other, Verbs(other)[0], Places(clip)[0]).First()
        : Full(clip, Verbs(clip)[0], Places(clip)[0]).First();

    /// <summary>
    /// The words of all captions of a config, lower case, with how often each is in them: for building a tokenizer.
    /// </summary>
    public static IReadOnlyDictionary<string, int> Vocabulary(SpriteWorldConfig config)
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (string word in Corpus(config).SelectMany(CaptionParser.Words))
            counts[word] = counts.GetValueOrDefault(word) + 1;
        return counts;
    }

    /// <summary>
    /// Captions with every word of a config: all subjects with all motions and colours, since these decide each other's words,
    /// while scenes, sizes, times and camera moves, which do not, take turns.
    /// </summary>
    public static IEnumerable<string> Corpus(SpriteWorldConfig config)
    {
        int turn = 0;
        foreach (Subject subject in config.Subjects)
        {
            foreach (Motion motion in config.Motions)
            {
                foreach (SubjectColour colour in config.Colours)
                {
                    (int rest, int scene) = Math.DivRem(turn++, config.Scenes.Count);
                    (rest, int time) = Math.DivRem(rest, config.TimesOfDay.Count);
                    (rest, int camera) = Math.DivRem(rest, config.CameraMoves.Count);
                    var clip = new ClipDescription
                    {
                        Subject = subject,
                        Scene = config.Scenes[scene],
                        Motion = motion,
                        Colour = colour,
                        Size = config.Sizes[rest % config.Sizes.Count],
                        TimeOfDay = config.Scenes[scene].HasSky ? config.TimesOfDay[time] : TimeOfDay.Day,
                        Camera = config.CameraMoves[camera],
                        Start = (0.5f, 0.5f),
                        Extent = 0.45f,
                    };
                    if (turn == 2 && config.TiltedShare > 0)
                        clip = clip with { Tilt = 180 }; // for its word
                    if (turn == 1 && config.CompanionShare > 0)
                        clip = clip with { Companion = clip with { Subject = config.Subjects[^1] } }; // for the words between two
                    foreach (string caption in s_speeds.SelectMany(speed => All(clip with { Speed = speed })).Distinct())
                        yield return caption;
                }
            }
        }
    }

    private static IEnumerable<string> Short(ClipDescription clip, Verb verb)
    {
        string noun = Noun(clip);
        if (clip.Motion is Motion.Left or Motion.Right)
            yield return $"{noun} {clip.Subject.Locomotion.Moves[0].Present}";
        yield return $"{noun} {verb.Present}";
        yield return $"{WithArticle(noun)} {verb.Present}";
        yield return $"{WithArticle(noun)} is {verb.Continuous}";
        yield return $"{Sentence(WithArticle(noun))} {verb.Present}.";
    }

    private static IEnumerable<string> Full(ClipDescription clip, Verb verb, string place)
    {
        string noun = Noun(clip), one = WithArticle(noun);
        yield return $"{one} {verb.Present} {place}";
        yield return $"{Sentence(one)} {verb.Present} {place}.";
        yield return $"{noun} {verb.Continuous} {place}";
        yield return $"{one} is {verb.Continuous} {place}";
        yield return $"The {noun} {verb.Present} {place}.";
        yield return $"{Sentence(one)} is {verb.Continuous} {place}.";
        yield return $"{Sentence(place)}, {one} {verb.Present}.";
        yield return $"There is {one} {place}. It {verb.Present}.";
        yield return $"{Sentence(one)} {verb.Present} {place}. {Afterthought(clip)}";
        yield return $"A video of {one} {verb.Continuous} {place}.";
    }

    // Each verb follows its noun, so that a caption reads back.
    private static IEnumerable<string> ShortOfTwo(ClipDescription clip, Verb verb, ClipDescription other, Verb second)
    {
        string one = WithArticle(Noun(clip)), two = WithArticle(Noun(other));
        yield return $"{Noun(clip)} {verb.Present} and {Noun(other)} {second.Present}";
        yield return $"{one} {verb.Present} and {two} {second.Present}";
        yield return $"{Sentence(one)} {verb.Present}, {two} {second.Present}.";
    }

    private static IEnumerable<string> FullOfTwo(ClipDescription clip, Verb verb, ClipDescription other, Verb second, string place)
    {
        string one = WithArticle(Noun(clip)), two = WithArticle(Noun(other));
        yield return $"{one} {verb.Present} and {two} {second.Present} {place}";
        yield return $"{Sentence(one)} {verb.Present} and {two} {second.Present} {place}.";
        yield return $"{one} is {verb.Continuous} and {two} is {second.Continuous} {place}";
        yield return $"The {Noun(clip)} {verb.Present} and the {Noun(other)} {second.Present} {place}.";
        yield return $"{Sentence(place)}, {one} {verb.Present} and {two} {second.Present}.";
        yield return $"A video of {one} {verb.Continuous} and {two} {second.Continuous} {place}.";
    }

    private static string Afterthought(ClipDescription clip) => clip.Motion switch
    {
        Motion.Rests => "It does not move.",
        Motion.Left or Motion.Right or Motion.Up or Motion.Down => clip.Speed switch
        {
            < 0.235f => "It moves slowly.",
            > 0.265f => "It moves quickly.",
            _ => "It moves steadily.",
        },
        Motion.Bounces => "It bounces again and again.",
        _ => "It stays in the middle of the picture.",
    };

    private static string Noun(ClipDescription clip)
    {
        string size = clip.Size == SubjectSize.Usual ? "" : clip.Size.ToString().ToLowerInvariant() + " ";
        string colour = clip.Colour == SubjectColour.Own ? "" : clip.Colour.ToString().ToLowerInvariant() + " ";
        return $"{(clip.Tilt == 0 ? "" : "tilted ")}{size}{colour}{clip.Subject.Name}";
    }

    private static string WithArticle(string noun) =>
        ("aeiou".Contains(noun[0], StringComparison.Ordinal) ? "an " : "a ") + noun;

    private static string Sentence(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    private static IReadOnlyList<string> Places(ClipDescription clip)
    {
        string time = clip.TimeOfDay switch
        {
            TimeOfDay.Sunset => " at sunset",
            TimeOfDay.Night => " at night",
            _ => "",
        };
        string camera = clip.Camera switch
        {
            CameraMove.PanLeft => " while the camera pans leftwards",
            CameraMove.PanRight => " while the camera pans rightwards",
            CameraMove.ZoomIn => " while the camera zooms in",
            CameraMove.ZoomOut => " while the camera zooms out",
            CameraMove.Shake => " while the camera shakes",
            _ => "",
        };
        return [.. clip.Scene.Phrases.Select(phrase => phrase + time + camera)];
    }

    private static IReadOnlyList<Verb> Verbs(ClipDescription clip)
    {
        Locomotion how = clip.Subject.Locomotion;
        return clip.Motion switch
        {
            Motion.Left => Sideways(how, "left"),
            Motion.Right => Sideways(how, "right"),
            Motion.Up => how.Rises,
            Motion.Down => how.Falls,
            Motion.Bounces => [s_bounces, s_hops],
            Motion.Rests => how.Rests,
            Motion.Circles => [.. how.Moves.Take(1).Select(verb => With(verb, "in a circle")), s_circles],
            Motion.Spins => [s_spins],
            Motion.Grows => [s_grows, s_getsBigger],
            _ => [s_shrinks, s_getsSmaller],
        };
    }

    private static IReadOnlyList<Verb> Sideways(Locomotion how, string side) =>
        [.. how.Moves.Select(verb => With(verb, side)), .. how.Moves.Select(verb => With(verb, "to the " + side))];

    private static Verb With(Verb verb, string adverb) =>
        new($"{verb.Present} {adverb}", $"{verb.Continuous} {adverb}");
}
