using System.Globalization;
using System.Numerics;

namespace Sora;

/// <summary>The values that a setting may take in any model, both ends included.</summary>
internal readonly record struct ValueRange<T>(T Least, T Greatest)
    where T : struct, INumber<T>
{
    /// <summary>The value itself; null, "not set", passes.</summary>
    /// <exception cref="SoraException">The value lies outside; the message names the range and the nearest value.</exception>
    public T? Require(string setting, T? value)
    {
        if (value is not { } given || (given >= Least && given <= Greatest))
            return value;
        string nearest = T.IsNaN(given)
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $", nearest: {T.Clamp(given, Least, Greatest)}");
        throw new SoraException(string.Create(CultureInfo.InvariantCulture,
            $"{setting} {given} is out of range; allowed: {Least} to {Greatest}{nearest}."));
    }
}
