namespace Sora.Training.SpriteWorld.Analysis;

/// <summary>
/// Tells whether a subject spins, and which: whether a look that turns around one place at an even rate explains the video better than
/// the look that explains it best when it is upright wherever, and however large, it is seen best in each frame.
/// </summary>
/// <param name="world">The world.</param>
/// <param name="upright">The upright templates, at the resolution of <paramref name="shortSide"/>.</param>
/// <param name="shortSide">The shorter side of the frames in pixels.</param>
internal sealed class Rotations(World world, TemplateSet upright, int shortSide)
{
    private const int Steps = 12;
    private const float LeastTurns = 0.3f, MostTurns = 3f, TurnsApart = 0.1f; // in the whole video
    private const float Better = 1.04f; // a ball that rests looks almost as well explained turning

    /// <summary>The look that spins; null if none does.</summary>
    /// <param name="search">At the resolution of <c>shortSide</c>.</param>
    /// <param name="look">What was found upright.</param>
    /// <param name="track">Where it is, one sighting a frame.</param>
    /// <param name="others">Looks that it may be in truth, upside down most of the time, and about where each of them is seen best.</param>
    public (Subject Subject, SubjectColour Colour)? Turning(
        TemplateSearch search, (Subject Subject, SubjectColour Colour) look, IReadOnlyList<Sighting> track, IEnumerable<((Subject, SubjectColour) Look, int T, Sighting Sighting)> others)
    {
        Sighting[] seen = [.. track.Select((sighting, t) => upright.Near(look, search, t, sighting))];
        float explained = Better * seen.Sum(sighting => MathF.Max(sighting.Gain, 0));
        // Place and size are taken where the subject is seen best, which is upright.
        List<((Subject Subject, SubjectColour Colour) Look, Sighting Centre)> candidates = [(look, seen.MaxBy(sighting => sighting.Gain))];
        candidates.AddRange(others.Select(other => (other.Look, upright.Near(other.Look, search, other.T, other.Sighting))));
        var best = candidates
            .Select(candidate => (candidate.Look, Gain: PosesOf(candidate.Look.Subject).Max(pose => BestTurn(Gains(search, candidate.Look, pose, candidate.Centre, track.Count)))))
            .MaxBy(candidate => candidate.Gain);
        return best.Gain > explained ? best.Look : null;
    }

    private static IEnumerable<Pose> PosesOf(Subject subject) =>
        SpriteAtlas.PosesOf(subject).Where(pose => subject.Facing != Facing.UpRight || pose == Pose.Upright);

    // How much each turn explains of each frame.
    private float[][] Gains(TemplateSearch search, (Subject Subject, SubjectColour Colour) look, Pose pose, Sighting centre, int frames)
    {
        Sprite sprite = world.Atlas.Get(look.Subject, look.Colour, pose);
        Template[] turned = [.. Enumerable.Range(0, Steps).Select(step =>
        {
            Sprite shown = step == 0 ? sprite : sprite.Turned(step * 360f / Steps);
            float scale = (float)Math.Max(shown.Width, shown.Height) / Math.Max(sprite.Width, sprite.Height);
            return Template.Of(look.Subject, look.Colour, shown, centre.Extent * scale, shortSide);
        })];
        return [.. Enumerable.Range(0, frames).Select(t => turned.Select(template => MathF.Max(search.Near(template, t, centre, reach: 2).Gain, 0)).ToArray())];
    }

    // The best sum over the frames of a turn at an even rate, to either side and from any angle.
    private static float BestTurn(float[][] gains)
    {
        float best = 0;
        for (float turns = LeastTurns; turns <= MostTurns; turns += TurnsApart)
        {
            float perFrame = turns * Steps / Math.Max(gains.Length - 1, 1);
            for (int start = 0; start < Steps; start++)
            {
                float clockwise = 0, other = 0;
                for (int t = 0; t < gains.Length; t++)
                {
                    clockwise += gains[t][(start + (int)MathF.Round(perFrame * t)) % Steps];
                    other += gains[t][(start + Steps - ((int)MathF.Round(perFrame * t) % Steps)) % Steps];
                }
                best = MathF.Max(best, MathF.Max(clockwise, other));
            }
        }
        return best;
    }
}
