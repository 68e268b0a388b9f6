//! The options that say who a person is, in the words of
//! [OpenID Connect Core §5.1](https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims).

use clap::Args;

use super::parse;
use crate::{
    flows::admin::Edit,
    values::{Address, Profile, WebUri},
};

/// What is known of a person; an empty value removes it.
#[derive(Debug, Default, Args)]
pub(super) struct ProfileOptions {
    /// The full name
    #[arg(long, value_parser = parse::edit(parse::line), help_heading = HEADING)]
    name: Option<Edit<String>>,
    /// Given names
    #[arg(long, value_parser = parse::edit(parse::line), help_heading = HEADING)]
    given_name: Option<Edit<String>>,
    /// Surnames
    #[arg(long, value_parser = parse::edit(parse::line), help_heading = HEADING)]
    family_name: Option<Edit<String>>,
    /// Middle names
    #[arg(long, value_parser = parse::edit(parse::line), help_heading = HEADING)]
    middle_name: Option<Edit<String>>,
    /// A casual name
    #[arg(long, value_parser = parse::edit(parse::line), help_heading = HEADING)]
    nickname: Option<Edit<String>>,
    /// What the person wishes to be called, where it is not the username
    #[arg(long, value_parser = parse::edit(parse::line), help_heading = HEADING)]
    preferred_username: Option<Edit<String>>,
    /// The person's profile page
    #[arg(long, value_name = "URI", value_parser = parse::edit(parse::web_uri), help_heading = HEADING)]
    profile: Option<Edit<WebUri>>,
    /// The person's picture
    #[arg(long, value_name = "URI", value_parser = parse::edit(parse::web_uri), help_heading = HEADING)]
    picture: Option<Edit<WebUri>>,
    /// The person's web page
    #[arg(long, value_name = "URI", value_parser = parse::edit(parse::web_uri), help_heading = HEADING)]
    website: Option<Edit<WebUri>>,
    /// The gender
    #[arg(long, value_parser = parse::edit(parse::line), help_heading = HEADING)]
    gender: Option<Edit<String>>,
    /// The birthday: YYYY-MM-DD, 0000-MM-DD or YYYY
    #[arg(long, value_name = "DATE", value_parser = parse::edit(parse::line), help_heading = HEADING)]
    birthdate: Option<Edit<String>>,
    /// The time zone, such as Europe/Zurich
    #[arg(long, value_parser = parse::edit(parse::line), help_heading = HEADING)]
    zoneinfo: Option<Edit<String>>,
    /// The language, such as de-CH
    #[arg(long, value_parser = parse::edit(parse::line), help_heading = HEADING)]
    locale: Option<Edit<String>>,
    /// The telephone number, such as +41441234567
    #[arg(long, value_name = "NUMBER", value_parser = parse::edit(parse::line), help_heading = HEADING)]
    phone_number: Option<Edit<String>>,
    /// The number is known to be the person's
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        help_heading = HEADING
    )]
    phone_number_verified: Option<bool>,
    /// Street and house number
    #[arg(long, value_parser = parse::edit(parse::lines), help_heading = HEADING)]
    street_address: Option<Edit<String>>,
    /// City
    #[arg(long, value_parser = parse::edit(parse::line), help_heading = HEADING)]
    locality: Option<Edit<String>>,
    /// State, province or region
    #[arg(long, value_parser = parse::edit(parse::line), help_heading = HEADING)]
    region: Option<Edit<String>>,
    /// Postal code
    #[arg(long, value_parser = parse::edit(parse::line), help_heading = HEADING)]
    postal_code: Option<Edit<String>>,
    /// Country
    #[arg(long, value_parser = parse::edit(parse::line), help_heading = HEADING)]
    country: Option<Edit<String>>,
    /// The whole address, as on a label
    #[arg(long, value_parser = parse::edit(parse::lines), help_heading = HEADING)]
    formatted_address: Option<Edit<String>>,
}

const HEADING: &str = "Profile";

impl ProfileOptions {
    /// The profile as these options change it.
    pub(super) fn applied_to(self, mut profile: Profile) -> Profile {
        let number = profile.phone_number.clone();
        apply(self.name, &mut profile.name);
        apply(self.given_name, &mut profile.given_name);
        apply(self.family_name, &mut profile.family_name);
        apply(self.middle_name, &mut profile.middle_name);
        apply(self.nickname, &mut profile.nickname);
        apply(self.preferred_username, &mut profile.preferred_username);
        apply(self.profile, &mut profile.profile);
        apply(self.picture, &mut profile.picture);
        apply(self.website, &mut profile.website);
        apply(self.gender, &mut profile.gender);
        apply(self.birthdate, &mut profile.birthdate);
        apply(self.zoneinfo, &mut profile.zoneinfo);
        apply(self.locale, &mut profile.locale);
        apply(self.phone_number, &mut profile.phone_number);
        profile.phone_number_verified = match self.phone_number_verified {
            Some(verified) => verified,
            None => profile.phone_number_verified && profile.phone_number == number,
        };

        let mut address = profile.address.take().unwrap_or_default();
        apply(self.street_address, &mut address.street_address);
        apply(self.locality, &mut address.locality);
        apply(self.region, &mut address.region);
        apply(self.postal_code, &mut address.postal_code);
        apply(self.country, &mut address.country);
        apply(self.formatted_address, &mut address.formatted);
        profile.address = (address != Address::default()).then_some(address);
        profile
    }
}

fn apply<T>(edit: Option<Edit<T>>, to: &mut Option<T>) {
    edit.unwrap_or_default().apply(to);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_stays_and_what_is_empty_goes() {
        let before = Profile {
            name: Some("Alice".to_owned()),
            nickname: Some("Al".to_owned()),
            phone_number: Some("+41".to_owned()),
            phone_number_verified: true,
            address: Some(Address { country: Some("CH".to_owned()), ..Address::default() }),
            ..Profile::default()
        };
        let options = ProfileOptions {
            nickname: Some(Edit::Remove),
            phone_number: Some(Edit::Set("+49".to_owned())),
            country: Some(Edit::Remove),
            ..ProfileOptions::default()
        };
        let after = options.applied_to(before);
        assert_eq!((after.name.as_deref(), after.nickname), (Some("Alice"), None));
        assert!(!after.phone_number_verified);
        assert_eq!(after.address, None);
    }
}
