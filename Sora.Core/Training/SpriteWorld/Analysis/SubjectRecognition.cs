using System.Numerics;

namespace Sora.Training.SpriteWorld.Analysis;

/// <summary>
/// Finds the subject: every look of every subject is searched in three coarse frames; the best look's track shows
/// where the background is free; the most promising looks are compared again, finer and against that background.
/// </summary>
internal sealed class SubjectRecognition
{
    private const int CoarseSide = 24;
    private const int FineSide = 48;
    private const int Promising = 12;
    private const int PromisingTurned = 4;

    private readonly TemplateSet _coarse;
    private readonly TemplateSet _fine;
    private readonly Rotations? _rotations;

    public SubjectRecognition(World world)
    {
        bool manySizes = world.Config.Sizes.Any(size => size != SubjectSize.Usual)
            || world.Config.CompanionShare > 0
            || world.Config.Motions.Any(motion => motion is Motion.Grows or Motion.Shrinks);
        _coarse = new TemplateSet(world, CoarseSide, manySizes
            ? [0.2f, 0.27f, 0.36f, 0.48f, 0.64f]
            : [0.4f, 0.47f, 0.55f]);
        _fine = new TemplateSet(world, FineSide, manySizes
            ? [0.2f, 0.24f, 0.28f, 0.33f, 0.39f, 0.45f, 0.52f, 0.6f, 0.68f]
            : [0.38f, 0.42f, 0.46f, 0.5f, 0.54f, 0.58f]);
        _rotations = world.Config.Motions.Contains(Motion.Spins) ? new Rotations(world, _fine, FineSide) : null;
    }

    /// <summary>The look that explains the video best, and where it is in every frame.</summary>
    /// <param name="rgb">[T, H, W, 3].</param>
    /// <param name="width">W.</param>
    /// <param name="height">H.</param>
    public SubjectFinding Find(ReadOnlySpan<byte> rgb, int width, int height)
    {
        FrameStack coarse = FrameStack.Of(rgb, width, height, CoarseSide);
        var search = new TemplateSearch(coarse, Background.ByRows(coarse), LargestRadius(_coarse));
        int[] moments = [.. Moments(coarse.Frames.Length)];
        List<Candidate> all = [.. _coarse.Looks.Select(look => new Candidate(look, [.. moments.Select(t => SeenAt(look, t))]))];
        List<Candidate> promising = [.. all
            .OrderByDescending(candidate => candidate.Sightings.Sum(sighting => sighting.Gain))
            .Take(Promising)];
        IReadOnlyList<Sighting> track = Track(coarse, search, promising[0].Look);

        FrameStack fine = FrameStack.Of(rgb, width, height, FineSide);
        Vector3[] background = Background.Around(fine, track);
        var compare = new TemplateSearch(fine, background, LargestRadius(_fine));
        (Candidate best, float gain) = promising
            .Select(candidate => (candidate, FineGain(candidate)))
            .MaxBy(candidate => candidate.Item2);
        if (best != promising[0])
        {
            track = Track(coarse, search, best.Look);
            background = Background.Around(fine, track);
            compare = new TemplateSearch(fine, background, LargestRadius(_fine));
        }

        // What spins is upright now and then only, so one moment has to be enough for it.
        (Subject Subject, SubjectColour Colour)? turning = _rotations?.Turning(compare, best.Look, track, all
            .Select(candidate => (candidate.Look, Best: Enumerable.Range(0, moments.Length).MaxBy(i => candidate.Sightings[i].Gain), candidate.Sightings))
            .Select(candidate => (candidate.Look, moments[candidate.Best], candidate.Sightings[candidate.Best]))
            .OrderByDescending(candidate => candidate.Item3.Gain)
            .Take(PromisingTurned));
        return new SubjectFinding(
            turning?.Subject ?? best.Look.Subject,
            turning?.Colour ?? best.Look.Colour,
            gain / moments.Length,
            track,
            turning is not null,
            background,
            fine.Width);

        Sighting SeenAt((Subject, SubjectColour) look, int t) =>
            Best(_coarse.Of(look), template => search.Everywhere(template, t));

        float FineGain(Candidate candidate) => moments.Zip(candidate.Sightings, (t, sighting) => _fine.Near(candidate.Look, compare, t, sighting).Gain).Sum();
    }

    /// <summary>Where a look is in every frame; frames in which it is out of sight repeat the nearest one.</summary>
    private List<Sighting> Track(FrameStack stack, TemplateSearch search, (Subject, SubjectColour) look)
    {
        List<Sighting> track = [.. Enumerable.Range(0, stack.Frames.Length)
            .Select(t => Best(_coarse.Of(look), template => search.Everywhere(template, t)))];
        float lost = 0.15f * MathF.Max(track.Max(sighting => sighting.Gain), 0f);
        int first = Math.Max(track.FindIndex(sighting => sighting.Gain >= lost), 0);
        for (int t = 0; t < track.Count; t++)
        {
            if (t < first || track[t].Gain < lost)
                track[t] = track[Math.Max(t - 1, first)];
        }

        return track;
    }

    private static Sighting Best(IEnumerable<Template> templates, Func<Template, Sighting> search) =>
        templates.Select(search).MaxBy(sighting => sighting.Gain);

    private static int LargestRadius(TemplateSet templates) =>
        templates.Looks.SelectMany(templates.Of).Max(template => template.Radius);

    /// <summary>Up to three frames, spread over the video.</summary>
    private static IEnumerable<int> Moments(int count) => new[] { 0, count / 2, count - 1 }.Distinct();

    private sealed record Candidate((Subject Subject, SubjectColour Colour) Look, IReadOnlyList<Sighting> Sightings);
}
