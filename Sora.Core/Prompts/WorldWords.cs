using Sora.Training.SpriteWorld;

namespace Sora.Prompts;

/// <summary>The words of a prompt as the drawn world says them: "puppies" is a dog, "ocean" the sea.</summary>
internal sealed class WorldWords
{
    // Words that say nothing to be seen.
    private static readonly HashSet<string> Empty =
    [
        "a", "an", "the", "is", "are", "it", "its", "there", "this", "that", "which", "who", "and", "while", "of", "in", "on", "at", "to", "from", "through",
        "across", "over", "with", "by", "into", "towards", "toward", "as", "for", "my", "your", "me", "some", "please", "show", "shows", "make",
        "video", "clip", "movie", "film", "picture", "one", "very", "does", "not",
    ];

    // The world's word for another one. Sizes: "little" and "tiny" are small.
    private static readonly Dictionary<string, string> Others = new()
    {
        ["puppy"] = "dog", ["hound"] = "dog", ["kitten"] = "cat", ["kitty"] = "cat", ["pony"] = "horse", ["bunny"] = "rabbit", ["hare"] = "rabbit",
        ["piglet"] = "pig", ["teddy"] = "bear", ["duckling"] = "duck", ["tortoise"] = "turtle", ["bumblebee"] = "bee", ["automobile"] = "car", ["lorry"] = "truck",
        ["bike"] = "bicycle", ["plane"] = "airplane", ["aeroplane"] = "airplane", ["aircraft"] = "airplane", ["jet"] = "airplane", ["spaceship"] = "rocket",
        ["spacecraft"] = "rocket", ["chopper"] = "helicopter", ["boat"] = "sailboat", ["yacht"] = "sailboat", ["football"] = "ball", ["goldfish"] = "fish",
        ["ocean"] = "sea", ["underwater"] = "sea", ["water"] = "sea", ["grass"] = "meadow", ["grassland"] = "meadow", ["pasture"] = "meadow", ["dune"] = "desert",
        ["shore"] = "beach", ["seaside"] = "beach", ["coast"] = "beach", ["mountain"] = "mountains", ["snow"] = "mountains", ["snowy"] = "mountains",
        ["street"] = "city", ["town"] = "city", ["heaven"] = "sky", ["galaxy"] = "space", ["cosmos"] = "space", ["star"] = "space", ["starry"] = "space",
        ["jumps"] = "bounces", ["jumping"] = "bouncing", ["jump"] = "bounces", ["leaps"] = "bounces", ["leaping"] = "bouncing",
        ["rotates"] = "spins", ["rotating"] = "spinning", ["twirls"] = "spins", ["twirling"] = "spinning", ["circling"] = "circle",
        ["ascends"] = "rises", ["ascending"] = "rising", ["upwards"] = "up", ["upward"] = "up", ["descends"] = "sinks", ["descending"] = "sinking",
        ["downwards"] = "down", ["downward"] = "down",
        ["sits"] = "rests", ["sitting"] = "resting", ["sleeps"] = "rests", ["sleeping"] = "resting", ["waits"] = "rests", ["waiting"] = "resting",
        ["little"] = "small", ["tiny"] = "small", ["large"] = "big", ["huge"] = "big", ["giant"] = "big",
        ["run"] = "runs", ["walk"] = "walks", ["move"] = "moves", ["swim"] = "swims", ["glide"] = "glides", ["fly"] = "flies", ["drive"] = "drives", ["roll"] = "rolls",
        ["crawl"] = "crawls", ["float"] = "floats", ["drift"] = "drifts", ["sail"] = "sails", ["bounce"] = "bounces", ["hop"] = "hops", ["spin"] = "spins",
        ["grow"] = "grows", ["shrink"] = "shrinks", ["rise"] = "rises", ["fall"] = "falls", ["sink"] = "sinks", ["rest"] = "rests",
        ["slow"] = "slowly", ["fast"] = "quickly", ["quick"] = "quickly", ["dusk"] = "sunset", ["evening"] = "sunset", ["midnight"] = "night",
    };

    private static readonly string[] Speeds = ["slowly", "steadily", "quickly"];

    private static readonly Dictionary<string, string> Forms = SubjectCatalogue.All.Select(subject => subject.Locomotion).Distinct()
        .SelectMany(how => (Verb[])[.. how.Moves, .. how.Rises, .. how.Falls, .. how.Rests])
        .Concat([new("bounces", "bouncing"), new("hops", "hopping"), new("spins", "spinning"), new("grows", "growing"), new("shrinks", "shrinking")])
        .Select(verb => (Continuous: verb.Continuous.Split(' ')[0], Present: verb.Present.Split(' ')[0]))
        .DistinctBy(verb => verb.Continuous)
        .ToDictionary(verb => verb.Continuous, verb => verb.Present);

    private static readonly string[] Endings = ["s", "es", "ies"];

    private readonly (string Written, string World)[] _words;

    public WorldWords(string prompt)
    {
        _words = [.. CaptionParser.Words(prompt).Select(word => (word, InWorld(word)))];
        Text = string.Join(' ', _words.Select(word => word.World));
    }

    /// <summary>The prompt in the world's words.</summary>
    public string Text { get; }

    /// <summary>The subjects that were written as several, "puppies": the world shows one.</summary>
    public IReadOnlyList<string> Several => [.. _words.Where(word => SubjectCatalogue.Find(word.World) is not null && word.Written != word.World && SingleOf(word.Written) is not null).Select(word => word.Written).Distinct()];

    /// <summary>The words, as they were written, that a caption does not hold.</summary>
    public IReadOnlyList<string> Missing(string caption)
    {
        string[] words = [.. CaptionParser.Words(caption)];
        HashSet<string> held = [.. words, .. words.Select(Present)];
        return
        [
            .. _words.Where(word => !Empty.Contains(word.Written) && !held.Contains(word.Written) && !held.Contains(Present(word.World)))
                .Select(word => word.Written).Distinct(),
        ];
    }

    /// <summary>
    /// Which motions go with the words where they name none, of those that come naturally to the subject: verbs of moving and words of speed
    /// mean a straight one.
    /// </summary>
    public Func<Motion, bool> Allow(Subject subject)
    {
        bool onGround = subject.Locomotion.Habitat == Habitat.Ground;
        if (subject.Locomotion.Moves.Any(verb => _words.Any(word => Present(word.World) == verb.Present)))
            return motion => motion is Motion.Left or Motion.Right;
        if (_words.Any(word => Speeds.Contains(word.World)))
            return motion => motion is Motion.Left or Motion.Right || (!onGround && motion is Motion.Up or Motion.Down);
        return motion => motion is Motion.Left or Motion.Right or Motion.Circles || (onGround ? motion is Motion.Bounces : motion is Motion.Up or Motion.Down);
    }

    // "running" is another form of "runs".
    private static string Present(string word) => Forms.GetValueOrDefault(word) ?? word;

    private static string InWorld(string word) => Others.GetValueOrDefault(word) ?? SingleOf(word) ?? (word == "circles" ? "circle" : word);

    // The world's word for one of several; null where the word names no several things of the world.
    private static string? SingleOf(string word)
    {
        if (SubjectCatalogue.Find(word) is not null || Others.ContainsKey(word))
            return null;
        foreach (string ending in Endings.Where(ending => word.EndsWith(ending, StringComparison.Ordinal)))
        {
            string single = word[..^ending.Length] + (ending == "ies" ? "y" : "");
            if (SubjectCatalogue.Find(single) is not null)
                return single;
            if (Others.TryGetValue(single, out string? other))
                return other;
        }
        return null;
    }
}
